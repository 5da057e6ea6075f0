//! Every link, anchor and image of the rendered book resolves.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use scraper::{Html, Selector};

use crate::book::code::plain;
use crate::repo::files_below;

/// What the rendered book holds.
#[derive(Debug, Default)]
pub struct Links {
    /// How many pages were read.
    pub pages: usize,
    /// One result for each link.
    pub results: Vec<Result<(), String>>,
}

/// A page's links and the names that others may link to.
struct Rendered {
    links: BTreeSet<String>,
    names: BTreeSet<String>,
}

/// Reads the rendered book and follows every link in it. Links to other sites are checked for
/// their form alone: a check must not need the network.
///
/// # Errors
/// When a file cannot be read.
pub fn check(html: &Path) -> std::io::Result<Links> {
    let mut pages = BTreeMap::new();
    let files = files_below(html)?;
    for file in &files {
        // These three hold what the pages hold, in another shape.
        let is_copy =
            ["print.html", "toc.html", "404.html"].iter().any(|name| file == Path::new(name));
        if file.extension().is_some_and(|extension| extension == "html") && !is_copy {
            let text = std::fs::read_to_string(html.join(file))?;
            pages.insert(file.clone(), read(&text));
        }
    }
    let files: BTreeSet<PathBuf> = files.into_iter().collect();
    let mut found = Links { pages: pages.len(), results: Vec::new() };
    for (page, rendered) in &pages {
        for link in &rendered.links {
            let result = follow(page, link, &pages, &files);
            found.results.push(result.map_err(|why| format!("{}: {link}: {why}", page.display())));
        }
    }
    Ok(found)
}

fn read(text: &str) -> Rendered {
    let html = Html::parse_document(text);
    let attributes = |selector: &str, attribute: &str| -> Vec<String> {
        let selector = Selector::parse(selector).expect("the selectors are constant");
        let values = html.select(&selector).filter_map(|element| element.attr(attribute));
        values.map(str::to_owned).collect()
    };
    let links = [attributes("[href]", "href"), attributes("[src]", "src")].concat();
    let names = [attributes("[id]", "id"), attributes("a[name]", "name")].concat();
    Rendered { links: links.into_iter().collect(), names: names.into_iter().collect() }
}

fn follow(
    page: &Path,
    link: &str,
    pages: &BTreeMap<PathBuf, Rendered>,
    files: &BTreeSet<PathBuf>,
) -> Result<(), String> {
    if let Some((scheme, rest)) = link.split_once(':')
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || c == '+')
    {
        return check_external(scheme, rest);
    }
    let (path, name) = link.split_once('#').unwrap_or((link, ""));
    let path = path.split('?').next().unwrap_or_default();
    let target = if path.is_empty() {
        page.to_path_buf()
    } else {
        let folder = page.parent().unwrap_or(Path::new(""));
        plain(&folder.join(decoded(path))).ok_or("it leads out of the book")?
    };
    if !files.contains(&target) {
        return Err("there is no such page or file".to_owned());
    }
    let Some(rendered) = pages.get(&target) else { return Ok(()) };
    if name.is_empty() || rendered.names.contains(&decoded(name)) {
        return Ok(());
    }
    Err(format!("{} has no anchor `{name}`", target.display()))
}

fn check_external(scheme: &str, rest: &str) -> Result<(), String> {
    let host = rest.strip_prefix("//").and_then(|rest| rest.split(['/', '?', '#']).next());
    let is_host = host.is_some_and(|host| {
        host.contains('.') && !host.contains(char::is_whitespace)
            || host.starts_with("localhost")
            || host.starts_with("127.0.0.1")
    });
    match scheme {
        "http" | "https" if is_host => Ok(()),
        "http" | "https" => Err("it names no host".to_owned()),
        "mailto" | "data" => Ok(()),
        _ => Err(format!("`{scheme}:` is no kind of link")),
    }
}

/// A link with its `%20` and the like written out.
fn decoded(link: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = link.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let hex = behind.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match hex.filter(|_| first == b'%').and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            None => {
                bytes.push(first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(body: &str) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.html"), format!("<main id=\"top\">{body}</main>"))
            .unwrap();
        std::fs::write(dir.path().join("b.html"), "<h1 id=\"größe\">B</h1>").unwrap();
        std::fs::write(dir.path().join("pic.png"), "").unwrap();
        let links = check(dir.path()).unwrap();
        assert_eq!(links.pages, 2);
        links.results.into_iter().filter_map(Result::err).collect()
    }

    #[test]
    fn links_that_lead_somewhere_pass() {
        let body = "<a href=\"b.html\">b</a> <a href=\"b.html#gr%C3%B6%C3%9Fe\">b</a> \
            <a href=\"#top\">up</a> <img src=\"pic.png\"> <a href=\"https://kafka.apache.org/x\">k</a>";
        assert_eq!(judge(body), Vec::<String>::new());
    }

    #[test]
    fn links_that_lead_nowhere_fail() {
        for (body, why) in [
            ("<a href=\"c.html\">c</a>", "a.html: c.html: there is no such page or file"),
            ("<a href=\"b.html#no\">b</a>", "a.html: b.html#no: b.html has no anchor `no`"),
            ("<a href=\"#no\">b</a>", "a.html: #no: a.html has no anchor `no`"),
            ("<img src=\"no.png\">", "a.html: no.png: there is no such page or file"),
            ("<a href=\"../../x.rs\">x</a>", "a.html: ../../x.rs: it leads out of the book"),
            ("<a href=\"https://\">x</a>", "a.html: https://: it names no host"),
            ("<a href=\"htps://a.b\">x</a>", "a.html: htps://a.b: `htps:` is no kind of link"),
        ] {
            assert_eq!(judge(body), [why]);
        }
    }
}
