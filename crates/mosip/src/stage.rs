//! The stages of MOSIP's registration processor, in words that an integrator reads.

/// Transaction types as MOSIP's trail names them, with what the stage does.
const STAGES: [(&str, &str); 17] = [
    ("PACKET_RECEIVER", "receiving the packet"),
    ("SECUREZONE_NOTIFICATION", "taking the packet into the secure zone"),
    ("UPLOAD_PACKET", "storing the packet"),
    ("VALIDATE_PACKET", "checking the packet's form"),
    ("PACKET_CLASSIFICATION", "sorting the packet by its kind"),
    ("CMD_VALIDATION", "checking centre, machine and device"),
    ("OPERATOR_VALIDATION", "checking the officer"),
    ("SUPERVISOR_VALIDATION", "checking the supervisor"),
    ("INTRODUCER_VALIDATION", "checking the parent or guardian"),
    ("QUALITY_CLASSIFIER", "judging the quality of biometrics"),
    ("BIOGRAPHIC_VERIFICATION", "comparing biometrics with people who are registered already"),
    ("DEMOGRAPHIC_VERIFICATION", "comparing with people who are registered already"),
    ("BIOMETRIC_AUTHENTICATION", "comparing biometrics with those on file"),
    ("MANUAL_ADJUDICATION", "a person's look at possible duplicates"),
    ("UIN_GENERATOR", "issuing the UIN"),
    ("FINALIZATION", "finishing"),
    ("INTERNAL_WORKFLOW_ACTION", "ending the workflow"),
];

/// What a stage does, in a few words; none for one that nobody documented.
pub fn stage_in_words(stage: &str) -> Option<&'static str> {
    STAGES.iter().find(|(name, _)| *name == stage).map(|(_, words)| *words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stage_is_listed_once_and_has_its_words() {
        for (index, (name, words)) in STAGES.iter().enumerate() {
            assert!(!STAGES[..index].iter().any(|(other, _)| other == name), "{name} is listed twice");
            assert_eq!(stage_in_words(name), Some(*words));
        }
        assert_eq!(stage_in_words("TEA_BREAK"), None);
    }
}
