//! Changes of packets.yaml: where a value comes from, how it is written, and when it is sent.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::catalogue::{Form, Kind};
use crate::decision::Effect;
use crate::files::rules::Mode;
use crate::layout::{Entry, Node};
use crate::mapping::Source;
use crate::mutate::edit::{Edit, append_entry, remove_entry, remove_item, rewrite, swap};
use crate::mutate::proof::{implies_value, musts};
use crate::mutate::{Sheet, kind_of, sibling};
use crate::ruleset::Rule;

pub(super) fn mutate(sheet: &mut Sheet<'_>) {
    let root = sheet.root.clone();
    for packet in root.get("packets").map(Node::entries).unwrap_or_default() {
        let senders: Vec<&Rule> =
            sheet.pack.rules.rules.iter().filter(|rule| sends(rule, &packet.key)).collect();
        let Some(plan) = sheet.pack.packets.plans.get(&packet.key).filter(|_| !senders.is_empty()) else {
            continue;
        };
        let mandatory: BTreeSet<String> = sheet
            .pack
            .schema
            .required_of(&plan.mandatory)
            // Of alternatives, each may be left out as long as another one is there.
            .filter_map(|names| <[&str; 1]>::try_from(names).ok())
            .map(|[name]| name.to_owned())
            .collect();
        let certain = certain(&senders);
        let form = sheet.pack.catalogue.form(&plan.event).cloned().unwrap_or_default();
        // A value behind an anchor may be sent by other packets too.
        let mut names = vec![packet.key.as_str()];
        names.extend(
            root.get("packets").map(Node::entries).unwrap_or_default().iter().map(|e| e.key.as_str()),
        );
        let mut cases = sheet.sending(&[packet.key.as_str()]);
        for index in sheet.sending(&names) {
            if !cases.contains(&index) {
                cases.push(index);
            }
        }
        let mut walk = Walk { sheet, packet: packet.key.clone(), form, mandatory, certain, cases };
        walk.packet(&packet.value);
    }
}

/// Changes of what a rule writes into the record.
pub(super) fn mutate_written(sheet: &mut Sheet<'_>, rule: usize, write: &Node, cases: &[usize]) {
    let rule = sheet.pack.rules.rules[rule].clone();
    let form = sheet.pack.catalogue.form(&rule.event).cloned().unwrap_or_default();
    let certain = certain(&[&rule]);
    let mut walk =
        Walk { sheet, packet: rule.id, form, mandatory: BTreeSet::new(), certain, cases: cases.to_vec() };
    for entry in write.entries() {
        // Left out is left out, whether or not it is said.
        walk.value(&entry.key, &entry.value, true);
    }
}

/// A rule that is only evaluated builds no packet.
fn sends(rule: &Rule, packet: &str) -> bool {
    rule.mode == Mode::Enforce && matches!(&rule.effect, Effect::Operate { send, .. } if send == packet)
}

/// Fields that have a value whenever one of the rules sends.
fn certain(senders: &[&Rule]) -> BTreeSet<String> {
    let each = senders.iter().map(|rule| {
        let tests = rule.term.as_ref().map(musts).unwrap_or_default();
        tests
            .into_iter()
            .filter(|(_, test)| implies_value(test))
            .map(|(field, _)| field.to_string())
            .collect::<BTreeSet<String>>()
    });
    each.reduce(|all, more| all.intersection(&more).cloned().collect()).unwrap_or_default()
}

struct Walk<'s, 'p> {
    sheet: &'s mut Sheet<'p>,
    packet: String,
    form: Form,
    /// Fields that the ID schema wants whatever the packet says.
    mandatory: BTreeSet<String>,
    /// Fields of the form that have a value whenever the packet is sent.
    certain: BTreeSet<String>,
    cases: Vec<usize>,
}

/// Whether the packet cannot go without the value.
fn must(node: &Node) -> bool {
    node.get("optional").and_then(Node::scalar) != Some("true")
        && node.get("only_if_changed").and_then(Node::scalar) != Some("true")
}

/// Whether two values are missing from the same records: they are one field of the form, read the same way.
fn alike(a: &Node, b: &Node) -> bool {
    let reads = |node: &Node| {
        let key = ["from", "date", "code"].into_iter().find(|key| node.get(key).is_some())?;
        Some((key, node.get(key)?.scalar()?.to_owned()))
    };
    reads(a).is_some_and(|one| reads(b) == Some(one))
}

impl Walk<'_, '_> {
    fn add(&mut self, what: &str, at: usize, edits: impl IntoIterator<Item = Edit>) {
        let edits: Vec<Edit> = edits.into_iter().collect();
        self.sheet.add(format!("{what} in `{}`", self.packet), at, &edits, &self.cases);
    }

    fn packet(&mut self, node: &Node) {
        let text = Arc::clone(&self.sheet.text);
        if let Some(process) = node.get("process") {
            let other = format!("{}X", process.scalar().unwrap_or_default());
            self.add("another process", process.range.start, [rewrite(&text, process, &other)]);
        }
        if let Some(subject) = node.get("subject") {
            self.add("`subject` dropped", subject.range.start, remove_entry(&text, node, "subject"));
            self.other_field("`subject`", subject);
        }
        for part in ["fields", "meta_info", "notification"] {
            let Some(values) = node.get(part) else { continue };
            for entry in values.entries() {
                if values.entries().len() > 1 {
                    let drop = remove_entry(&text, values, &entry.key);
                    self.add(&format!("`{}` dropped", entry.key), entry.key_range.start, drop);
                }
                let anyway = part == "fields" && self.mandatory.contains(&entry.key);
                self.value(&entry.key, &entry.value, anyway);
            }
        }
    }

    /// One value: its source, its language, and when it is sent.
    ///
    /// `anyway` says that the value is missed whether or not it is optional.
    fn value(&mut self, name: &str, node: &Node, anyway: bool) {
        let text = Arc::clone(&self.sheet.text);
        for entry in node.entries() {
            self.source(name, node, entry);
        }
        if let Some(language) = node.get("language") {
            let languages = self.sheet.pack.country.languages.iter().map(|known| known.mosip.clone());
            let other = languages.into_iter().find(|known| Some(known.as_str()) != language.scalar());
            if let Some(other) = other {
                self.add(
                    &format!("another language of `{name}`"),
                    language.range.start,
                    [rewrite(&text, language, &other)],
                );
            }
        }
        let fields = fields_of(node);
        let is = |key: &str| node.get(key).and_then(Node::scalar) == Some("true");
        let fixed = ["constant", "given", "choose"].iter().any(|key| node.get(key).is_some());
        let never_empty = node.get("constant").is_some()
            || (node.get("text").is_some() && node.get("with").is_none_or(|with| with.entries().is_empty()))
            || node.get("given").and_then(Node::scalar).is_some_and(|given| given != "registration_number")
            || self.is_missed_inside(name)
            || self.is_certain(node, &fields);
        // A value that is never empty, or that is missed anyway, is the same optional or not.
        if !never_empty && !anyway && !node.entries().is_empty() {
            let (what, edit) = if is("optional") {
                (format!("`{name}` no longer optional"), remove_entry(&text, node, "optional"))
            } else {
                (format!("`{name}` optional"), self.flag(node, "optional"))
            };
            self.add(&what, node.range.start, edit);
        }
        if !fixed && !node.entries().is_empty() {
            let (what, edit) = if is("only_if_changed") {
                (format!("`{name}` sent also unchanged"), remove_entry(&text, node, "only_if_changed"))
            } else {
                (format!("`{name}` sent only if changed"), self.flag(node, "only_if_changed"))
            };
            self.add(&what, node.range.start, edit);
        }
    }

    /// Whether a packet without the value fails on one of its languages before the value is asked for.
    fn is_missed_inside(&self, name: &str) -> bool {
        let plan = self.sheet.pack.packets.plans.get(&self.packet);
        plan.and_then(|plan| plan.fields.get(name)).is_some_and(|value| match &value.source {
            Source::Languages(all) => all.values().any(|one| !one.optional && !one.only_if_changed),
            _ => false,
        })
    }

    /// Whether the value is there whenever the packet is sent.
    fn is_certain(&self, node: &Node, fields: &[String]) -> bool {
        let plain = ["from", "date", "code"].iter().any(|key| node.get(key).is_some());
        plain && fields.iter().any(|field| self.certain.contains(field))
    }

    fn flag(&self, node: &Node, key: &str) -> Option<Edit> {
        match node.get(key) {
            Some(value) => Some(rewrite(&self.sheet.text, value, "true")),
            None => append_entry(&self.sheet.text, node, &format!("{key}: true")),
        }
    }

    fn source(&mut self, name: &str, node: &Node, entry: &Entry) {
        let text = Arc::clone(&self.sheet.text);
        let value = &entry.value;
        let at = value.range.start;
        match entry.key.as_str() {
            "from" | "date" | "code" => self.fields(name, value),
            "format" => {
                if let Some(format) = value.scalar() {
                    let other = format.replace("MM", "\u{0}").replace("dd", "MM").replace('\u{0}', "dd");
                    self.add(
                        &format!("day and month of `{name}` exchanged"),
                        at,
                        [rewrite(&text, value, &other)],
                    );
                }
            }
            "map" => self.codes(name, node, value),
            "default" => {
                let words: BTreeSet<&str> = node
                    .get("map")
                    .map(Node::entries)
                    .unwrap_or_default()
                    .iter()
                    .filter_map(|entry| entry.value.scalar())
                    .collect();
                let other = words.into_iter().find(|word| Some(*word) != value.scalar());
                // A default for a choice whose every value has a code is never used.
                if let Some(other) = other.filter(|_| !self.all_coded(node)) {
                    self.add(&format!("another default of `{name}`"), at, [rewrite(&text, value, other)]);
                }
            }
            "choose" => self.choose(name, value),
            "text" => self.template(name, value),
            "with" => {
                for alias in value.entries() {
                    self.other_field(&format!("`{}` of `{name}`", alias.key), &alias.value);
                }
            }
            "given" => {
                let other = if value.scalar() == Some("event_id") { "tracking_id" } else { "event_id" };
                self.add(&format!("`{name}` given another id"), at, [rewrite(&text, value, other)]);
            }
            "constant" => {
                let other = match value.scalar().unwrap_or_default() {
                    "Y" => "N".to_owned(),
                    "N" => "Y".to_owned(),
                    text => format!("{text}x"),
                };
                self.add(&format!("another constant for `{name}`"), at, [rewrite(&text, value, &other)]);
            }
            "languages" => {
                // Without any language the value as a whole is missing.
                let alone = value.entries().len() == 1;
                for language in value.entries() {
                    if value.entries().len() > 1 {
                        let drop = remove_entry(&text, value, &language.key);
                        self.add(
                            &format!("`{}` of `{name}` dropped", language.key),
                            language.key_range.start,
                            drop,
                        );
                    }
                    // So it is without one that another language misses with it.
                    let missed = value.entries().iter().any(|other| {
                        other.key != language.key
                            && must(&other.value)
                            && alike(&other.value, &language.value)
                    });
                    let name = format!("{name} ({})", language.key);
                    self.value(&name, &language.value, alone || missed);
                }
            }
            _ => {}
        }
    }

    /// A field, or several in order of preference.
    fn fields(&mut self, name: &str, node: &Node) {
        let text = Arc::clone(&self.sheet.text);
        let items = node.items();
        if items.len() < 2 {
            self.other_field(&format!("`{name}`"), items.first().unwrap_or(node));
            return;
        }
        for (index, item) in items.iter().enumerate() {
            let word = item.scalar().unwrap_or_default();
            // Behind a value that is always there, nothing is asked.
            let reached =
                !items[..index].iter().filter_map(Node::scalar).any(|field| self.certain.contains(field));
            if reached {
                self.add(
                    &format!("`{word}` dropped from `{name}`"),
                    item.range.start,
                    remove_item(&text, node, index),
                );
            }
            if let Some(next) = items.get(index + 1).filter(|next| reached && next.scalar() != item.scalar())
            {
                let edits = swap(&text, &item.range, &next.range);
                self.add(&format!("the order of `{name}` changed"), item.range.start, edits);
            }
        }
    }

    fn other_field(&mut self, what: &str, node: &Node) {
        if let Some(field) = node.scalar()
            && let Some(other) = sibling(&self.form, field)
        {
            let edit = rewrite(&self.sheet.text, node, &other);
            self.add(&format!("{what} from `{other}`"), node.range.start, [edit]);
        }
    }

    fn all_coded(&self, node: &Node) -> bool {
        let words: BTreeSet<&str> =
            node.get("map").map(Node::entries).unwrap_or_default().iter().map(|e| e.key.as_str()).collect();
        fields_of(node).iter().all(|field| match kind_of(&self.form, field) {
            Some(Kind::Choice(options)) => options.iter().all(|option| words.contains(option.as_str())),
            _ => false,
        })
    }

    fn codes(&mut self, name: &str, node: &Node, map: &Node) {
        let text = Arc::clone(&self.sheet.text);
        let codes: Vec<&str> = map.entries().iter().filter_map(|entry| entry.value.scalar()).collect();
        let default = node.get("default").and_then(Node::scalar);
        for (index, entry) in map.entries().iter().enumerate() {
            let own = entry.value.scalar();
            let other =
                codes.iter().cycle().skip(index + 1).take(codes.len()).find(|code| Some(**code) != own);
            let other =
                other.map_or_else(|| format!("{}x", own.unwrap_or_default()), |code| (*code).to_owned());
            let at = entry.value.range.start;
            self.add(
                &format!("another code for `{}` of `{name}`", entry.key),
                at,
                [rewrite(&text, &entry.value, &other)],
            );
            if map.entries().len() > 1 && default.is_some() && default != own {
                let drop = remove_entry(&text, map, &entry.key);
                self.add(&format!("the code for `{}` of `{name}` dropped", entry.key), at, drop);
            }
        }
    }

    fn choose(&mut self, name: &str, node: &Node) {
        let text = Arc::clone(&self.sheet.text);
        let lists = |node: &Node| -> Vec<String> {
            node.scalar()
                .map(str::to_owned)
                .into_iter()
                .chain(node.items().iter().filter_map(|i| i.scalar().map(str::to_owned)))
                .collect()
        };
        if let Some(by) = node.get("by") {
            self.other_field(&format!("the choice of `{name}`"), by);
        }
        let otherwise = node.get("otherwise").map(&lists);
        if let Some(cases) = node.get("cases") {
            for case in cases.entries() {
                // What also holds for any other value may go.
                if otherwise.as_ref() != Some(&lists(&case.value)) {
                    let edit = if cases.entries().len() > 1 {
                        remove_entry(&text, cases, &case.key)
                    } else {
                        Some(Edit::new(cases.range.clone(), "{}"))
                    };
                    self.add(&format!("`{}` of `{name}` dropped", case.key), case.key_range.start, edit);
                }
                self.fields(name, &case.value);
            }
        }
        if let Some(otherwise) = node.get("otherwise") {
            if otherwise.items().len() < 2 {
                self.add(
                    &format!("`otherwise` of `{name}` dropped"),
                    otherwise.range.start,
                    remove_entry(&text, node, "otherwise"),
                );
            }
            self.fields(name, otherwise);
        }
    }

    /// Each word of a template's list left out, and neighbours exchanged.
    fn template(&mut self, name: &str, node: &Node) {
        let Some(template) = node.scalar() else { return };
        for (words, range) in lists_in(template) {
            if words.len() < 2 {
                continue;
            }
            for index in 0..words.len() {
                let mut less = words.clone();
                less.remove(index);
                self.rewritten(
                    &format!("`{}` left out of `{name}`", words[index]),
                    node,
                    template,
                    &range,
                    &less,
                );
                if index + 1 < words.len() {
                    let mut turned = words.clone();
                    turned.swap(index, index + 1);
                    self.rewritten(
                        &format!("the words of `{name}` exchanged"),
                        node,
                        template,
                        &range,
                        &turned,
                    );
                }
            }
        }
    }

    fn rewritten(
        &mut self,
        what: &str,
        node: &Node,
        template: &str,
        range: &std::ops::Range<usize>,
        words: &[String],
    ) {
        let mut other = template.to_owned();
        other.replace_range(range.clone(), &words.join(", "));
        let edit = rewrite(&self.sheet.text, node, &other);
        self.add(what, node.range.start, [edit]);
    }
}

/// The fields that a value reads.
fn fields_of(node: &Node) -> Vec<String> {
    let mut fields = BTreeSet::new();
    for key in ["from", "date", "code"] {
        if let Some(source) = node.get(key) {
            let all = source.scalar().into_iter().chain(source.items().iter().filter_map(Node::scalar));
            fields.extend(all.map(str::to_owned));
        }
    }
    fields.into_iter().collect()
}

/// The lists in a template: their words, and where they stand between the brackets.
fn lists_in(template: &str) -> Vec<(Vec<String>, std::ops::Range<usize>)> {
    let mut lists = Vec::new();
    let mut from = 0;
    while let Some(open) = template[from..].find('[').map(|at| from + at + 1) {
        let Some(close) = template[open..].find([']', '[']).map(|at| open + at) else { break };
        if template[close..].starts_with(']') {
            let words = template[open..close].split(',').map(|word| word.trim().to_owned()).collect();
            lists.push((words, open..close));
        }
        from = close;
    }
    lists
}
