# Reference values for similarity and permutation tests, from R. Run from the project's root:
#
#     Rscript tests/stats/reference_geometry.R > tests/stats/reference_geometry.json
#
# `vegan` computes Mantel's r and, over all permutations that `permute` lists, its exact p;
# base R the classical scaling, the average linkage, its cophenetic distances and the partial
# correlation; `vegan::procrustes` the superimposition without scaling.

suppressPackageStartupMessages(library(vegan))

number <- function(x) paste0("[", paste(sprintf("%.15g", as.vector(x)), collapse = ", "), "]")

set.seed(20260105)
items <- matrix(rnorm(6 * 12), 12, 6) + rnorm(12)
r <- cor(items)
sizes <- c(1.5, 7, 8, 14, 32, 70)
apart <- as.matrix(dist(log(sizes)))
x <- as.dist(1 - r)
y <- as.dist(apart)

all_orders <- allPerms(6, control = how(maxperm = 1e4))
done <- mantel(x, y, permutations = all_orders)

chord <- as.dist(sqrt(2 * (1 - r)))
flat <- cmdscale(chord, k = 2, eig = TRUE)
tree <- hclust(x, method = "average")
again <- cmdscale(as.dist(sqrt(2 * (1 - cor(items[1:9, ])))), k = 2)
fitted <- procrustes(flat$points, again, scale = FALSE)

parts <- c(
  made_by = '"tests/stats/reference_geometry.R"',
  versions = sprintf('"R %s, vegan %s"', getRversion(), packageVersion("vegan")),
  items = number(t(items)), sizes = number(sizes),
  mantel_r = number(done$statistic), mantel_p = number(done$signif),
  map_distances = number(dist(flat$points)), map_share = number(flat$GOF[1]),
  cophenetic = number(cor(cophenetic(tree), x)), merge_heights = number(tree$height),
  procrustes_ss = number(fitted$ss)
)
cat("{\n", paste0('  "', names(parts), '": ', parts, collapse = ",\n"), "\n}\n", sep = "")
