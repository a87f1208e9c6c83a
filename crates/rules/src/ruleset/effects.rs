//! What a rule does, and what goes with that.

use jiff::SignedDuration;
use serde_json::Value;

use super::RuleCompiler;
use crate::age::read_duration;
use crate::codes::Code;
use crate::decision::{Effect, Operation, Respond};
use crate::files::rules::{Act, RuleEntry};
use crate::source::Path;
use crate::structure::is_misspelt;
use crate::suggest::nearest;

impl RuleCompiler<'_> {
    pub(super) fn effect(&mut self, entry: &RuleEntry, path: &Path) -> Option<Effect> {
        match entry.act {
            Act::Reject => {
                self.out_of_place(entry, path, &["send", "respond", "deadline"]);
                let Some(reason) = &entry.reason else {
                    self.out.push(
                        self.document
                            .at_key(Code::R026, &path.key("do"), "a rejection says why")
                            .help("add `reason` in every language of the country"),
                    );
                    return None;
                };
                self.languages(reason, &path.key("reason"));
                let reason = self.country.first_of(reason).unwrap_or_default().to_owned();
                Some(Effect::Reject { reason })
            }
            Act::Ignore => {
                self.out_of_place(entry, path, &["send", "respond", "deadline", "reason"]);
                Some(Effect::Ignore)
            }
            Act::CreateUin => self.operate(Operation::CreateUin, entry, path),
            Act::UpdateBiographics => self.operate(Operation::UpdateBiographics, entry, path),
            Act::FlagDeceased => self.operate(Operation::FlagDeceased, entry, path),
            Act::DeactivateId => self.operate(Operation::DeactivateId, entry, path),
            Act::ReactivateId => self.operate(Operation::ReactivateId, entry, path),
            Act::VerifyIdentity => self.operate(Operation::VerifyIdentity, entry, path),
        }
    }

    fn operate(&mut self, operation: Operation, entry: &RuleEntry, path: &Path) -> Option<Effect> {
        self.out_of_place(entry, path, &["reason"]);
        for (key, given) in [("send", entry.send.is_some()), ("respond", entry.respond.is_some())] {
            if !given && !self.is_misspelt(key, path) {
                self.out.push(
                    self.document
                        .at_key(Code::R021, &path.key("do"), format!("{operation} without `{key}`"))
                        .help("an operation names the packet that carries it (`send`) and whether the record waits (`respond`)"),
                );
            }
        }
        if let Some(send) = &entry.send {
            self.packet(send, &entry.on.event, &path.key("send"));
            self.operation(operation, send, entry, path);
        }
        let deadline = self.deadline(entry, path);
        Some(Effect::Operate { operation, send: entry.send.clone()?, respond: entry.respond?, deadline })
    }

    /// Whether the rule has a key that was probably meant to be this one: that is reported by itself.
    fn is_misspelt(&self, key: &str, rule: &Path) -> bool {
        let known = [
            "id",
            "name",
            "on",
            "if",
            "do",
            "send",
            "respond",
            "deadline",
            "if_unknown",
            "mode",
            "reason",
            "audit",
            "after",
            "write",
        ];
        let map = self.document.get(rule).and_then(Value::as_object);
        map.is_some_and(|map| is_misspelt(key, map, &known.map(str::to_owned)))
    }

    pub(super) fn packet(&mut self, send: &str, event: &str, path: &Path) {
        if self.packets.is_broken(send) {
            return;
        }
        match self.packets.event_of(send) {
            None => self.out.push(
                self.document
                    .at_value(Code::R023, path, format!("`{send}` is not a packet of packets.yaml"))
                    .suggest(nearest(send, self.packets.names())),
            ),
            Some(other) if other != event => self.out.push(
                self.document
                    .at_value(
                        Code::R024,
                        path,
                        format!("`{send}` reads the form of {other}, the rule is for {event}"),
                    )
                    .help("a packet can only be sent for the event whose fields it maps"),
            ),
            Some(_) => {}
        }
    }

    fn deadline(&mut self, entry: &RuleEntry, path: &Path) -> Option<SignedDuration> {
        let Some(text) = entry.deadline.as_deref() else {
            if entry.respond == Some(Respond::AwaitExternalValidation) {
                self.out.push(
                    self.document
                        .at_value(Code::R034, &path.key("respond"), "the record waits, and the rule does not say how long")
                        .help("add `deadline: 14 days`; without it the engine's own setting decides when somebody is told"),
                );
            }
            return None;
        };
        let path = path.key("deadline");
        if entry.respond == Some(Respond::Continue) {
            self.out.push(
                self.document
                    .at_key(Code::R025, &path, "nobody waits for this answer")
                    .help("a deadline goes with `respond: await_external_validation`"),
            );
        }
        let deadline = read_duration(text);
        if deadline.is_none() {
            self.out.push(
                self.document
                    .at_value(Code::R015, &path, format!("`{text}` is not a length of time"))
                    .help("write a whole number and minutes, hours, days or weeks: `14 days`"),
            );
        }
        deadline
    }

    fn out_of_place(&mut self, entry: &RuleEntry, path: &Path, keys: &[&str]) {
        for key in keys {
            let given = match *key {
                "send" => entry.send.is_some(),
                "respond" => entry.respond.is_some(),
                "deadline" => entry.deadline.is_some(),
                _ => entry.reason.is_some(),
            };
            if given {
                self.out.push(
                    self.document
                        .at_key(
                            Code::R022,
                            &path.key(key),
                            format!("`{key}` does not go with what this rule does"),
                        )
                        .help(
                            "`send`, `respond` and `deadline` go with operations, `reason` with `do: reject`",
                        ),
                );
            }
        }
    }
}
