//! `civitas.yaml`: embedded default, file, environment, in this order.
//!
//! The layers are merged as trees whose every node knows its place, then read into the typed sections, so that
//! whatever is wrong is shown at the line that somebody wrote. Secrets come by file reference only.

mod check;
mod check_identity;
mod check_keys;
mod problem;
mod read;
mod sections;
mod show;
mod tree;
mod units;

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use problem::{Origin, probably_meant};
pub use problem::{Problem, Problems};
use read::Reader;
pub use sections::*;
pub use show::show;
use tree::{Node, Source, Value};
pub use units::{BaseUrl, Count, FilePath, FiveDigits, Listen, Size, Wait};

/// The default, which is also the manual.
pub const DEFAULT: &str = include_str!("civitas.default.yaml");

/// The file that is read when no other is named and it exists.
pub const FILE: &str = "civitas.yaml";

/// The whole configuration.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Config {
    /// This process.
    pub instance: Instance,
    /// Folder of the country pack.
    pub pack: FilePath,
    /// Taking a changed pack.
    pub reload: Reload,
    /// The journal.
    pub database: Database,
    /// The HTTP server.
    pub server: Server,
    /// OpenCRVS.
    pub opencrvs: OpenCrvs,
    /// MOSIP.
    pub mosip: Mosip,
    /// Apache Kafka.
    pub kafka: Kafka,
    /// The engine's work.
    pub dispatch: Dispatch,
    /// Logs and traces.
    pub telemetry: Telemetry,
}

/// What a configuration is read from.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// `--config`; otherwise `civitas.yaml` in the working folder, if there is one.
    pub file: Option<PathBuf>,
    /// The environment.
    pub variables: Vec<(String, String)>,
}

impl Layers {
    /// The named file and the process's environment.
    pub fn of_process(file: Option<PathBuf>) -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self { file, variables }
    }

    /// The file that is read, if any.
    pub fn path(&self) -> Option<PathBuf> {
        self.file.clone().or_else(|| Path::new(FILE).exists().then(|| PathBuf::from(FILE)))
    }
}

/// Reads the configuration; everything that is wrong with it comes back at once.
pub fn load(layers: &Layers) -> Result<Config, Problems> {
    let (tree, mut problems) = merged(layers)?;
    let unknown = Rc::new(RefCell::new(Vec::new()));
    let mut sections = Sections { tree: &tree, unknown: Rc::clone(&unknown), problems: Vec::new() };
    sections.top_level_keys();
    let config = sections.read();
    let unset = unset(&tree);
    // Each section stops at its first unset key; all of them are told together instead.
    problems.extend(sections.problems.into_iter().filter(|problem| !problem.unset || unset.is_none()));
    problems.extend(unset);
    problems.extend(unknown.take());
    match config {
        Some(config) if problems.is_empty() => {
            let found = check::check(&config, &tree);
            if found.is_empty() { Ok(config) } else { Err(Problems(found)) }
        }
        _ => Err(Problems(problems)),
    }
}

/// One problem that lists every mandatory key that no layer sets.
fn unset(tree: &Node) -> Option<Problem> {
    let keys: Vec<(String, String)> = tree
        .leaves()
        .into_iter()
        .filter(|(_, node)| matches!(node.value, Value::Null))
        .filter_map(|(path, _)| {
            let meaning = documentation(&path)?;
            let meaning = meaning.split_once(". No default")?.0.to_owned();
            Some((path, meaning))
        })
        .collect();
    let width = keys.iter().map(|(path, _)| path.len()).max()?;
    let lines: Vec<String> =
        keys.iter().map(|(path, meaning)| format!("   {path:<width$}  {meaning}")).collect();
    let list = lines.join("\n");
    Some(Problem::unplaced(format!("these keys have no default and must be set:\n{list}")).help(format!(
        "write them in {FILE}, or set them in the environment, such as CIVITAS_OPENCRVS__GATEWAY_URL"
    )))
}

struct Sections<'a> {
    tree: &'a Node,
    unknown: Rc<RefCell<Vec<Problem>>>,
    problems: Vec<Problem>,
}

impl Sections<'_> {
    fn read(&mut self) -> Option<Config> {
        // Each section is read even if another failed, so that one run shows all mistakes.
        let instance = self.section("instance");
        let pack = self.section("pack");
        let reload = self.section("reload");
        let database = self.section("database");
        let server = self.section("server");
        let opencrvs = self.section("opencrvs");
        let mosip = self.section("mosip");
        let kafka = self.section("kafka");
        let dispatch = self.section("dispatch");
        let telemetry = self.section("telemetry");
        Some(Config {
            instance: instance?,
            pack: pack?,
            reload: reload?,
            database: database?,
            server: server?,
            opencrvs: opencrvs?,
            mosip: mosip?,
            kafka: kafka?,
            dispatch: dispatch?,
            telemetry: telemetry?,
        })
    }

    fn section<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let node = self.tree.get(&[name])?.clone();
        let origin = node.origin.clone();
        match T::deserialize(Reader::new(node.clone(), name, Rc::clone(&self.unknown))) {
            Ok(section) => Some(section),
            Err(error) => {
                self.problems.push(error.0.or_at(&origin));
                self.other_mistakes::<T>(&node, name);
                None
            }
        }
    }

    /// Reading a section ends at its first mistake, so each of its keys is put first once. Of a list, only the first
    /// mistake is met.
    fn other_mistakes<T: DeserializeOwned>(&mut self, section: &Node, name: &str) {
        for path in section.leaves().keys() {
            let keys: Vec<&str> = path.split('.').collect();
            let unknown = Rc::default();
            let read =
                T::deserialize(Reader::new(section.clone().with_first(&keys), name, Rc::clone(&unknown)));
            let mistake = read.err().map(|error| error.0.or_at(&section.origin));
            add_new(&mut self.problems, mistake);
            add_new(&mut self.unknown.borrow_mut(), unknown.take());
        }
    }

    fn top_level_keys(&mut self) {
        let known: Vec<&str> = top_level();
        let Value::Map(entries) = &self.tree.value else { return };
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let problem =
                Problem::new(format!("unknown key `{}` at the top level", entry.key), entry.at.clone());
            self.problems.push(match probably_meant(&entry.key, known.iter().copied()) {
                Some(meant) => problem.help(format!("did you mean `{meant}`?")),
                None => problem.help(format!("known keys here: {}", known.join(", "))),
            });
        }
    }
}

/// Adds the problems that are not told yet.
fn add_new(told: &mut Vec<Problem>, found: impl IntoIterator<Item = Problem>) {
    for problem in found {
        let text = problem.to_string();
        if told.iter().all(|known| known.to_string() != text) {
            told.push(problem);
        }
    }
}

fn default_tree() -> &'static Result<Node, Problem> {
    // `Arc<Source>` is only read after this.
    static TREE: OnceLock<Result<Node, Problem>> = OnceLock::new();
    TREE.get_or_init(|| Node::parse(&Arc::new(Source::Default(DEFAULT)), DEFAULT))
}

fn top_level() -> Vec<&'static str> {
    match default_tree() {
        Ok(Node { value: Value::Map(entries), .. }) => {
            entries.iter().map(|entry| entry.key.as_str()).collect()
        }
        _ => Vec::new(),
    }
}

/// The merged tree, and the variables that name no key.
fn merged(layers: &Layers) -> Result<(Node, Vec<Problem>), Problems> {
    let one = |problem: Problem| Problems(vec![problem]);
    let mut tree = default_tree().clone().map_err(one)?;
    if let Some(path) = layers.path() {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(&path).map_err(|error| {
            one(Problem::unplaced(format!("cannot read {name}: {error}"))
                .help("name the file with --config, or write one after `civitas config default`"))
        })?;
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        let source = Arc::new(Source::File { name, text: text.clone(), folder });
        let file = Node::parse(&source, &text).map_err(one)?;
        if !matches!(file.value, Value::Map(_)) {
            return Err(one(Problem::new("a configuration is made of sections", file.origin)
                .help("start from `civitas config default`")));
        }
        tree.merge(file);
    }
    let mut problems = Vec::new();
    for (name, value) in &layers.variables {
        if let Err(problem) = set(&mut tree, name, value) {
            problems.push(problem);
        }
    }
    Ok((tree, problems))
}

/// Lays one environment variable over the tree.
fn set(tree: &mut Node, name: &str, value: &str) -> Result<(), Problem> {
    let Some(path) = name.strip_prefix("CIVITAS_") else { return Ok(()) };
    let lower = path.to_lowercase();
    let keys: Vec<&str> = lower.split("__").collect();
    if keys.len() == 1 && lower != "pack" {
        return Ok(()); // CIVITAS_CONFIG and the like are not keys
    }
    let origin = Origin::whole(&Arc::new(Source::Variable(name.to_owned())));
    if let Some(node) = tree.get_mut(&keys) {
        if !matches!(node.value, Value::Map(ref entries) if !entries.is_empty()) {
            *node = Node { value: Value::Raw(value.to_owned()), origin };
            return Ok(());
        }
        return Err(Problem::new("this names a section; set the keys in it one by one", origin));
    }
    let known: Vec<String> = tree
        .leaves()
        .keys()
        .map(|path| format!("CIVITAS_{}", path.to_uppercase().replace('.', "__")))
        .collect();
    let problem = Problem::new("no key has this name", origin);
    Err(match probably_meant_variable(name, &known) {
        Some(meant) => problem.help(format!("did you mean {meant}?")),
        None => problem.help("see `civitas config default` for the keys"),
    })
}

fn probably_meant_variable<'a>(name: &str, known: &'a [String]) -> Option<&'a str> {
    let lower: Vec<String> = known.iter().map(|name| name.to_lowercase()).collect();
    let meant = probably_meant(name, lower.iter().map(String::as_str))?;
    known.iter().map(String::as_str).find(|name| name.to_lowercase() == meant)
}

/// What a key means: the comment above it in the default file, on one line.
fn documentation(path: &str) -> Option<String> {
    let Ok(tree) = default_tree() else { return None };
    let line = key_line(tree, path)?;
    let lines: Vec<&str> = DEFAULT.lines().collect();
    let above = lines.get(..usize::try_from(line).ok()?.checked_sub(1)?)?;
    let mut comment: Vec<&str> =
        above.iter().rev().map_while(|line| line.trim().strip_prefix('#')).map(str::trim).collect();
    comment.reverse();
    if comment.is_empty() { None } else { Some(comment.join(" ")) }
}

fn key_line(tree: &Node, path: &str) -> Option<u64> {
    let keys: Vec<&str> = path.split('.').collect();
    let (last, parents) = keys.split_last()?;
    let Value::Map(entries) = &tree.get(parents)?.value else { return None };
    entries.iter().find(|entry| entry.key == *last).map(|entry| entry.at.line())
}
