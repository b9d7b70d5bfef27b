# Reference values for tests/stats/test_power.py, from R. Run from the project's root:
#
#     Rscript tests/stats/power_reference.R > tests/stats/power_reference.json
#
# `metafor` (Debian r-cran-metafor) gives the covariance matrix of all correlations of a
# matrix, from which the variance of a mean difference over pairs follows; `psych`
# (r-cran-psych) gives Williams' t, whose noncentral distribution in base R is its power.

suppressPackageStartupMessages({library(metafor); library(psych)})

number <- function(x) sprintf("%.15g", x)
array <- function(rows) paste0("[\n    ", paste(rows, collapse = ",\n    "), "\n  ]")

# Correlations of people (first), k first models and k second models, by likenesses given people.
pairs_matrix <- function(a, b, own, alike_a, alike_b, across, k) {
  r <- c(rep(a, k), rep(b, k))
  same <- diag(k)
  top <- cbind(same + alike_a * (1 - same), own * same + across * (1 - same))
  bottom <- cbind(own * same + across * (1 - same), same + alike_b * (1 - same))
  models <- outer(r, r) + outer(sqrt(1 - r^2), sqrt(1 - r^2)) * rbind(top, bottom)
  rbind(c(1, r), cbind(r, models))
}

variance <- function(a, b, own, alike_a, alike_b, across, k) {
  R <- unname(pairs_matrix(a, b, own, alike_a, alike_b, across, k))
  found <- rcalc(list(R), ni = 101)
  with_people <- found$dat$var1 == "x1"
  w <- rep(c(1, -1) / k, each = k)
  v <- 100 * drop(t(w) %*% found$V[with_people, with_people] %*% w)
  paste0("[", paste(number(c(a, b, own, alike_a, alike_b, across, k, v)), collapse = ", "), "]")
}

power <- function(a, b, ab, n) {
  t <- r.test(n, r12 = a, r13 = b, r23 = ab)$t
  q <- qt(.975, n - 3)
  p <- pt(q, n - 3, t, lower.tail = FALSE) + pt(-q, n - 3, t)
  paste0("[", paste(number(c(a, b, ab, n, p)), collapse = ", "), "]")
}

cat("{\n")
cat('  "made_by": "tests/stats/power_reference.R",\n')
cat('  "versions": "', R.version.string, "; metafor ", as.character(packageVersion("metafor")), "; psych ",
  as.character(packageVersion("psych")), '",\n', sep = "")
cat('  "variance": ', array(c(
  variance(.64, .34, .5, .5, .5, .5, 1), variance(.64, .34, .5, .7, .6, .4, 3),
  variance(.5, .5, .2, .3, .3, .1, 4), variance(.3, -.2, -.1, .2, .4, 0, 2), variance(.8, .2, .6, .9, .7, .6, 5)
)), ",\n", sep = "")
cat('  "williams_power": ', array(c(
  power(.64, .34, .6, 50), power(.5, .4, .1, 200), power(.3, .04, .2, 100), power(.2, .5, .7, 30), power(.8, .7, .9, 46)
)), "\n", sep = "")
cat("}\n")
