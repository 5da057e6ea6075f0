//! `checks no-rebuild`: after everything else, a learner's next test compiles no dependency.

use crate::cargo;
use crate::outcome::{NotRun, Outcome, Tally, plural};
use crate::repo::Repo;

/// Builds each lab's tests once more and looks at what was compiled.
///
/// # Errors
/// When there is no lab, or cargo cannot be started.
pub fn run(repo: &Repo) -> Result<Outcome, NotRun> {
    let labs = repo.labs()?;
    if labs.is_empty() {
        return Err("no lab in `labs`".into());
    }
    let mut tally = Tally::default();
    for lab in &labs {
        let built = cargo::build(cargo::cargo(&repo.root).args(["test", "-p", lab, "--no-run"]))?;
        let compiled: Vec<String> = built.compiled.into_iter().collect();
        tally.count(match (built.success, compiled.is_empty()) {
            (true, true) => Ok(()),
            (true, false) => Err(format!("{lab}: compiled anew: {}", compiled.join(", "))),
            (false, _) => Err(format!("{lab}: the build fails\n{}", built.said)),
        });
    }
    let verdict = "`cargo test -p labNN` compiles nothing anew";
    Ok(tally.outcome(plural(labs.len(), "lab"), verdict))
}
