# Reference values for tests/stats/test_mixed_model.py, from R. Run from the project's root:
#
#     Rscript tests/stats/reference_mixed.R > tests/stats/reference_mixed.json
#
# lme4 fits the model, lmerTest gives Satterthwaite's degrees of freedom and pbkrtest those of
# Kenward and Roger (Debian r-cran-lme4, r-cran-lmertest, r-cran-pbkrtest). Three data sets are
# simulated here and stored with their results; the fourth is the recorded study mip-math.

suppressPackageStartupMessages({
  library(lmerTest)
  library(pbkrtest)
})

control <- lmerControl(
  optimizer = "bobyqa", optCtrl = list(rhobeg = 0.02, rhoend = 1e-10, maxfun = 1e5),
  check.conv.singular = "ignore", check.conv.grad = "ignore", check.conv.hess = "ignore"
)

simulate_study <- function(seed, counts, items, drop = 0) {
  set.seed(seed)
  roles <- rep(names(counts), counts)
  level <- rnorm(length(roles), 0, .4)
  slope <- rnorm(length(roles), c(teacher = .4, student = .25, baseline = .1)[roles], .15)
  parts <- lapply(seq_along(items), function(k) {
    n <- items[k]
    difficulty <- as.vector(scale(rnorm(n)))
    item <- rnorm(n, 0, .3)
    own <- matrix(rnorm(n * length(counts), 0, .25), n, dimnames = list(NULL, names(counts)))
    in_task <- rnorm(length(roles), 0, .2)
    frame <- expand.grid(item = seq_len(n), model = seq_along(roles))
    frame$role <- roles[frame$model]
    frame$task <- names(items)[k]
    frame$difficulty <- difficulty[frame$item]
    frame$value <- 5 + k / 2 + level[frame$model] + (length(items) > 1) * in_task[frame$model] +
      slope[frame$model] * frame$difficulty + item[frame$item] + own[cbind(frame$item, match(frame$role, names(counts)))] +
      rnorm(nrow(frame), 0, .3)
    frame
  })
  frame <- do.call(rbind, parts)
  if (drop) frame <- frame[-sample(nrow(frame), drop), ]
  frame$model <- paste0("m", frame$model)
  frame$item <- paste0(frame$task, frame$item)
  frame$difficulty <- round(frame$difficulty, 6)
  frame$value <- round(frame$value, 6)
  frame
}

mip_math <- function() {
  costs <- read.csv("src/handan/data/costs/mip-math.csv")
  norms <- read.csv("src/handan/data/costs/mip-math-norms.csv")
  lineage <- read.csv("src/handan/data/lineage.csv")
  frame <- merge(costs, norms[c("item", "difficulty")], by = "item")
  frame <- merge(frame, lineage[c("model", "role")], by = "model")
  per_item <- unique(frame[c("item", "difficulty")])
  frame$difficulty <- (frame$difficulty - mean(per_item$difficulty)) / sd(per_item$difficulty)
  frame$value <- log(frame$reasoning_tokens)
  frame
}

fit <- function(frame, by_role) {
  frame$role <- factor(frame$role, unique(frame$role))
  for (role in levels(frame$role)) {
    frame[[paste0("is_", role)]] <- as.numeric(frame$role == role)
    frame[[paste0("slope_", role)]] <- frame$difficulty * (frame$role == role)
  }
  counted <- tapply(frame$model, frame$role, function(models) length(unique(models)))
  own <- paste(sprintf("(0 + is_%s | item)", levels(frame$role)), collapse = " + ")
  several <- names(counted)[counted > 1]
  models <- paste(sprintf("(0 + is_%s | model) + (0 + slope_%s | model)", several, several), collapse = " + ")
  if (!by_role) models <- "(1 | model) + (0 + difficulty | model)"
  random <- paste(models, "+ (1 | item) +", own)
  fixed <- "0 + role + role:difficulty"
  if (length(unique(frame$task)) > 1) {
    frame$task <- factor(frame$task, unique(frame$task))
    contrasts(frame$task) <- contr.sum(nlevels(frame$task))
    frame$in_task <- interaction(frame$model, frame$task)
    random <- paste(random, "+ (1 | in_task) + (0 + difficulty | in_task)")
    fixed <- "0 + role + task + (role + task):difficulty"
  }
  lmer(as.formula(paste("value ~", fixed, "+", random)), frame, REML = TRUE, control = control)
}

number <- function(x) ifelse(is.finite(x), sprintf("%.10g", x), "null")
object <- function(...) {
  fields <- c(...)
  paste0("{", paste0('"', names(fields), '": ', fields, collapse = ", "), "}")
}
array <- function(x) paste0("[", paste(x, collapse = ", "), "]")
text <- function(x) paste0('"', x, '"')

term <- function(model, kind, a, b = NULL) {
  names <- names(fixef(model))
  weight <- function(role) as.numeric(names == paste0("role", role, if (kind == "slope") ":difficulty"))
  l <- weight(a) - if (is.null(b)) 0 else weight(b)
  s <- contest1D(model, l)
  # slow, and wanted for differences only
  k <- if (is.null(b)) s else contest1D(model, l, ddf = "Kenward-Roger")
  kenward_roger <- object(
    se = number(k[["Std. Error"]]), df = number(k[["df"]]),
    p = number(k[["Pr(>|t|)"]])
  )
  object(
    term = text(paste0(kind, ": ", a, if (!is.null(b)) paste0(" - ", b))),
    estimate = number(s[["Estimate"]]), se = number(s[["Std. Error"]]),
    satterthwaite_df = number(s[["df"]]), satterthwaite_p = number(s[["Pr(>|t|)"]]),
    kenward_roger = if (is.null(b)) "null" else kenward_roger
  )
}

components <- function(model) {
  found <- as.data.frame(VarCorr(model))
  group <- sub("\\.[0-9]+$", "", found$grp)
  of_role <- function(name) sprintf("%s (%s)", name, sub("is_|slope_", "", found$var1))
  of_models <- ifelse(found$var1 == "difficulty", "model x difficulty",
    ifelse(found$var1 == "(Intercept)", "model", of_role(ifelse(grepl("^is_", found$var1), "model", "model x difficulty")))
  )
  name <- ifelse(group == "model", of_models,
    ifelse(group == "in_task", ifelse(found$var1 == "difficulty", "model x task x difficulty", "model x task"),
      ifelse(group == "item", ifelse(found$var1 == "(Intercept)", "item", sub("is_", "item x ", found$var1)), "residual")
    )
  )
  do.call(object, as.list(setNames(number(found$sdcor), name)))
}

study <- function(frame, with_data = TRUE) {
  object(
    by_role = fitted_as(frame, TRUE), common = fitted_as(frame, FALSE),
    data = if (with_data) columns(frame) else "null"
  )
}

columns <- function(frame) {
  object(
    model = array(text(frame$model)), role = array(text(frame$role)), task = array(text(frame$task)),
    item = array(text(frame$item)), difficulty = array(number(frame$difficulty)), value = array(number(frame$value))
  )
}

fitted_as <- function(frame, by_role) {
  model <- fit(frame, by_role)
  roles <- unique(frame$role)
  pairs <- if (length(roles) > 2) list(c(1, 2), c(2, 3)) else list(c(1, 2))
  terms <- c(
    unlist(lapply(c("level", "slope"), function(kind) sapply(roles, function(role) term(model, kind, role)))),
    unlist(lapply(c("level", "slope"), function(kind) sapply(pairs, function(p) term(model, kind, roles[p[1]], roles[p[2]]))))
  )
  object(
    loglik = number(as.numeric(logLik(model))), components = components(model),
    terms = array(paste0("\n      ", terms))
  )
}

studies <- list(
  balanced = study(simulate_study(1, c(teacher = 3, student = 4), c(a = 14))),
  holes = study(simulate_study(2, c(teacher = 3, student = 3, baseline = 3), c(a = 12), drop = 7)),
  tasks = study(simulate_study(3, c(teacher = 3, student = 4), c(a = 9, b = 11), drop = 3)),
  "mip-math" = study(mip_math(), FALSE)
)

cat("{\n")
cat('  "made_by": "tests/stats/reference_mixed.R",\n')
cat('  "versions": "', R.version.string, "; lme4 ", as.character(packageVersion("lme4")), "; lmerTest ",
  as.character(packageVersion("lmerTest")), "; pbkrtest ", as.character(packageVersion("pbkrtest")), '",\n', sep = "")
cat(paste0('  "', names(studies), '": ', studies, collapse = ",\n"), "\n}\n")
