//! A page of the book as its author writes it: code blocks, code in a line, includes, links.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A page of Markdown, taken apart.
#[derive(Debug, Default)]
pub struct Page {
    /// The file's name, relative to the repository.
    pub name: String,
    /// Fenced and indented blocks of code.
    pub blocks: Vec<Block>,
    /// Code in a line of prose.
    pub inline: Vec<Piece>,
    /// What `{{#include …}}` and its kin name.
    pub includes: Vec<Piece>,
    /// The targets of links and images.
    pub links: Vec<Piece>,
}

/// A piece of text with the line where it begins, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The line.
    pub line: usize,
    /// The text.
    pub text: String,
}

/// A block of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The line of its first fence.
    pub line: usize,
    /// Its language and marks: `rust`, `rust,ignore`, `console`; empty where it names none.
    pub info: String,
    /// The code.
    pub code: String,
}

impl Page {
    /// Takes a page apart.
    pub fn parse(name: &str, text: &str) -> Page {
        let mut page = Page { name: name.to_owned(), ..Page::default() };
        let mut open: Option<Block> = None;
        for (event, range) in Parser::new_ext(text, Options::all()).into_offset_iter() {
            let line = line_of(text, &range);
            match event {
                Event::Start(Tag::CodeBlock(kind)) => {
                    let info = match kind {
                        CodeBlockKind::Fenced(info) => info.to_string(),
                        CodeBlockKind::Indented => String::new(),
                    };
                    open = Some(Block { line, info, code: String::new() });
                }
                Event::Text(code) => {
                    if let Some(block) = &mut open {
                        block.code.push_str(&code);
                    }
                }
                Event::End(TagEnd::CodeBlock) => page.blocks.extend(open.take()),
                Event::Code(code) => page.inline.push(Piece { line, text: code.to_string() }),
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(Piece { line, text: dest_url.to_string() });
                }
                _ => {}
            }
        }
        page.includes = includes(text);
        page
    }

    /// A place on the page: `book/src/01.md:42`.
    pub fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.name)
    }
}

fn line_of(text: &str, range: &Range<usize>) -> usize {
    text[..range.start].matches('\n').count() + 1
}

/// The names of mdBook's three commands that take in a file.
const COMMANDS: [&str; 3] = ["{{#include ", "{{#rustdoc_include ", "{{#playground "];

fn includes(text: &str) -> Vec<Piece> {
    let mut found = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        for command in COMMANDS {
            for (at, _) in line.match_indices(command) {
                // A backslash before the braces shows the command instead of following it.
                let is_shown = line[..at].ends_with('\\');
                let target = line[at + command.len()..].split("}}").next().unwrap_or_default();
                if !is_shown {
                    found.push(Piece { line: number, text: target.trim().to_owned() });
                }
            }
        }
    }
    found
}

/// Whether a line of a block is nothing but an include.
pub fn is_include(line: &str) -> bool {
    let line = line.trim();
    COMMANDS.iter().any(|command| line.starts_with(command)) && line.ends_with("}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Title\n\nRun `make up` and see [it](a.md#b).\n\n```rust\n\
        {{#include ../../labs/lab01/src/event.rs:decode}}\n```\n\n- in a list\n\n  ```console\n  \
        $ make test\n  ```\n\n\\{{#include shown.rs}}\n";

    #[test]
    fn a_page_is_taken_apart_with_lines() {
        let page = Page::parse("book/src/a.md", TEXT);
        assert_eq!(page.inline, [Piece { line: 3, text: "make up".to_owned() }]);
        assert_eq!(page.links, [Piece { line: 3, text: "a.md#b".to_owned() }]);
        let infos: Vec<_> = page.blocks.iter().map(|b| (b.line, b.info.as_str())).collect();
        assert_eq!(infos, [(5, "rust"), (11, "console")]);
        assert_eq!(page.blocks[1].code, "$ make test\n");
        assert_eq!(page.includes.len(), 1);
        assert_eq!(page.includes[0].text, "../../labs/lab01/src/event.rs:decode");
        assert_eq!(page.at(5), "book/src/a.md:5");
    }
}
