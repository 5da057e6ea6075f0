//! The functions of a source file, their bodies, and the holes in them.

use std::ops::Range;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::spanned::Spanned;

/// A source file and its functions.
#[derive(Debug)]
pub struct Source {
    /// The text as it is in the file.
    pub text: String,
    /// Every function that has a body, in order.
    pub functions: Vec<Function>,
}

/// A function with a body: free, in an `impl` block, or a trait's default.
#[derive(Debug, Clone)]
pub struct Function {
    /// `decode`, `Retention::to_setting`, `<Event as Display>::fmt`, `inner::decode`. A second
    /// function of the same path (under another `cfg`) ends with `#2`.
    pub path: String,
    /// Visibility and signature, as tokens.
    pub signature: String,
    /// Where the body stands in the text, both braces included, in bytes.
    pub body: Range<usize>,
    /// The body's first and last line, from 1.
    pub body_lines: Range<usize>,
    /// The body as tokens.
    pub tokens: TokenStream,
    /// The `todo!` and `unimplemented!` calls in the body.
    pub todos: Vec<Todo>,
}

/// A call of `todo!` or `unimplemented!`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Todo {
    /// The line, from 1.
    pub line: usize,
    /// The text, where the first argument is a string; `None` for a bare call.
    pub text: Option<String>,
    /// Whether it is `todo!`.
    pub is_todo: bool,
}

impl Source {
    /// Parses a file's text.
    ///
    /// # Errors
    /// The first place that is no Rust, with its line and column.
    pub fn parse(text: String) -> Result<Source, String> {
        let file = syn::parse_file(&text).map_err(|error| {
            let at = error.span().start();
            format!("line {}, column {}: {error}", at.line, at.column + 1)
        })?;
        let mut functions = Vec::new();
        collect(&file.items, "", &mut functions);
        number_repeated_paths(&mut functions);
        Ok(Source { text, functions })
    }

    /// The function of this path.
    pub fn function(&self, path: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.path == path)
    }

    /// Every `todo!` and `unimplemented!` of the file, also those outside of a function.
    ///
    /// # Errors
    /// When the text cannot be split into tokens.
    pub fn all_todos(&self) -> Result<Vec<Todo>, String> {
        let tokens: TokenStream = self.text.parse().map_err(|error| format!("{error}"))?;
        Ok(todos_in(tokens))
    }
}

/// The step that a hole's text names: 3 for `step 3: describe topic {name}`.
pub fn step_named(todo_text: &str) -> Option<u32> {
    let (number, _) = todo_text.strip_prefix("step ")?.split_once(':')?;
    number.parse().ok()
}

fn collect(items: &[syn::Item], prefix: &str, functions: &mut Vec<Function>) {
    for item in items {
        match item {
            syn::Item::Fn(item) => {
                let path = format!("{prefix}{}", item.sig.ident);
                functions.push(function(path, &item.vis, &item.sig, &item.block));
            }
            syn::Item::Impl(item) => {
                let owner = owner_of(item);
                for method in &item.items {
                    if let syn::ImplItem::Fn(method) = method {
                        let path = format!("{prefix}{owner}::{}", method.sig.ident);
                        functions.push(function(path, &method.vis, &method.sig, &method.block));
                    }
                }
            }
            syn::Item::Trait(item) => {
                for method in &item.items {
                    if let syn::TraitItem::Fn(method) = method
                        && let Some(block) = &method.default
                    {
                        let path = format!("{prefix}{}::{}", item.ident, method.sig.ident);
                        let inherited = syn::Visibility::Inherited;
                        functions.push(function(path, &inherited, &method.sig, block));
                    }
                }
            }
            syn::Item::Mod(item) => {
                if let Some((_, items)) = &item.content {
                    collect(items, &format!("{prefix}{}::", item.ident), functions);
                }
            }
            _ => {}
        }
    }
}

fn owner_of(item: &syn::ItemImpl) -> String {
    let own = without_spaces(&item.self_ty);
    match &item.trait_ {
        Some((path, _)) => format!("<{own} as {}>", without_spaces(path)),
        None => own,
    }
}

fn without_spaces(tokens: &impl ToTokens) -> String {
    tokens.to_token_stream().to_string().replace(' ', "")
}

fn function(
    path: String,
    visibility: &syn::Visibility,
    signature: &syn::Signature,
    block: &syn::Block,
) -> Function {
    let span = block.span();
    Function {
        path,
        signature: quote::quote!(#visibility #signature).to_string(),
        body: span.byte_range(),
        body_lines: span.start().line..span.end().line + 1,
        tokens: block.to_token_stream(),
        todos: todos_in(block.to_token_stream()),
    }
}

fn number_repeated_paths(functions: &mut [Function]) {
    for index in 0..functions.len() {
        let path = functions[index].path.clone();
        let earlier = functions[..index]
            .iter()
            .filter(|other| other.path.split('#').next() == Some(path.as_str()))
            .count();
        if earlier > 0 {
            functions[index].path = format!("{path}#{}", earlier + 1);
        }
    }
}

/// Finds the calls among the tokens and not in the tree: a tree does not look into the arguments
/// of other macros.
fn todos_in(tokens: TokenStream) -> Vec<Todo> {
    let mut todos = Vec::new();
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    for (index, tree) in trees.iter().enumerate() {
        if let TokenTree::Group(group) = tree {
            todos.extend(todos_in(group.stream()));
        }
        if let [TokenTree::Ident(name), TokenTree::Punct(bang), TokenTree::Group(arguments), ..] =
            &trees[index..]
            && bang.as_char() == '!'
            && arguments.delimiter() != Delimiter::None
            && (name == "todo" || name == "unimplemented")
        {
            todos.push(Todo {
                line: name.span().start().line,
                text: first_string(arguments.stream()),
                is_todo: name == "todo",
            });
        }
    }
    todos
}

fn first_string(arguments: TokenStream) -> Option<String> {
    let literal = arguments.into_iter().next()?.into_token_stream();
    Some(syn::parse2::<syn::LitStr>(literal).ok()?.value())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Source {
        Source::parse(text.to_owned()).unwrap()
    }

    #[test]
    fn every_kind_of_function_has_a_path() {
        let source = parse(
            "fn a() {} struct S; impl S { pub fn b(&self) {} } \
             impl std::fmt::Display for S { fn fmt(&self) {} } \
             trait T { fn c(); fn d() {} } mod m { fn e() {} } \
             #[cfg(unix)] fn f() {} #[cfg(not(unix))] fn f() {}",
        );
        let paths: Vec<_> = source.functions.iter().map(|f| f.path.as_str()).collect();
        assert_eq!(
            paths,
            ["a", "S::b", "<S as std::fmt::Display>::fmt", "T::d", "m::e", "f", "f#2"]
        );
    }

    #[test]
    fn the_body_is_found_in_bytes_behind_wide_characters() {
        let text = "// Zürich → Genève\nfn a() -> u8 { 7 }\n";
        let source = parse(text);
        assert_eq!(&text[source.functions[0].body.clone()], "{ 7 }");
        assert_eq!(source.functions[0].body_lines, 2..3);
    }

    #[test]
    fn a_todo_inside_another_macro_is_found() {
        let source = parse("fn a() { select! { x => todo!(\"step 2: wait for {}\", 1), } }");
        let todos = &source.functions[0].todos;
        assert_eq!(todos.len(), 1);
        assert_eq!(todos[0].text.as_deref(), Some("step 2: wait for {}"));
    }

    #[test]
    fn a_bare_todo_has_no_text() {
        let source = parse("fn a() { todo!() }\nfn b() { unimplemented!(\"later\") }");
        assert_eq!(source.functions[0].todos[0].text, None);
        assert!(!source.functions[1].todos[0].is_todo);
        assert_eq!(source.functions[1].todos[0].line, 2);
    }

    #[test]
    fn a_step_is_named_at_the_start_of_the_text() {
        assert_eq!(step_named("step 12: do"), Some(12));
        assert_eq!(step_named("do step 1: x"), None);
        assert_eq!(step_named("step one: x"), None);
    }

    #[test]
    fn what_is_no_rust_is_refused_with_its_place() {
        let error = Source::parse("fn a() {}\nfn {}".to_owned()).unwrap_err();
        assert!(error.starts_with("line 2, column 4: "), "{error}");
    }
}
