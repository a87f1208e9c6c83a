//! The known defects of what Civitas stands in for, each with the tests that Civitas passes where they failed.
//!
//! `R1` to `R19`: defects of the reference integration of OpenCRVS with MOSIP. `F01` to `F25`: faults observed at mosip-api,
//! most of them by running it; tests of the surface that stands in for it are named after them.

/// Defect, what it is, and the tests that would fail if Civitas had it.
const DEFECTS: &[(&str, &str, &[&str])] = &[
    (
        "R1",
        "the transaction is deleted before the record is confirmed, and a failure is lost",
        &[
            "an_accept_that_times_out_after_success_is_repeated_identically",
            "an_accept_is_repeated_while_opencrvs_is_away",
            "f06_opencrvs_is_down_when_mosip_answers_and_nothing_is_lost",
        ],
    ),
    (
        "R2",
        "a correction is judged and sent with the values before it",
        &[
            "the_correction_updates_with_the_new_name_and_nothing_else",
            "all_reducers_of_2_0_agree_on_100_000_logs",
        ],
    ),
    ("R3", "the registration number is minted twice", &["a_number_is_minted_once_and_told_to_everybody"]),
    (
        "R4",
        "a correction collides with the number of its registration",
        &["a_uin_that_a_correction_asks_for_is_told_to_the_correction"],
    ),
    (
        "R5",
        "a row that was written before the packet is left when it fails, and never tried again",
        &[
            "f01_f02_f04_mosip_is_down_and_the_same_intent_resumes",
            "sqlite_without_a_broker_survives_kills_and_a_failing_mosip",
        ],
    ),
    ("R6", "errors inside a 200 of createPacket are ignored", &["f03_errors_inside_a_200_are_no_success"]),
    (
        "R7",
        "an empty national id is written when a death is confirmed",
        &["a_death_that_waited_is_accepted_and_nothing_is_written"],
    ),
    (
        "R8",
        "one pending action is assumed, and each look adds a READ",
        &[
            "several_pending_actions_are_an_anomaly_and_the_newest_counts",
            "what_is_well_is_searched_and_never_read",
        ],
    ),
    (
        "R9",
        "a death that went on is waited for by a credential that never comes",
        &[
            "the_death_with_an_identity_flags_one_person_as_deceased",
            "a_death_is_told_to_mosip_and_let_go_whatever_the_country_configuration_answered",
        ],
    ),
    (
        "R10",
        "ids are ten random digits",
        &[
            "the_same_event_yields_the_same_aid_and_another_candidate_another",
            "f22_f23_names_survive_to_the_letter_and_each_packet_has_an_id_of_its_own",
        ],
    ),
    (
        "R11",
        "an update carries a UUID as its id and is not correlated",
        &[
            "only_29_digits_with_a_time_at_the_end_are_an_aid",
            "an_update_whose_event_is_lost_is_read_back_after_a_poll",
        ],
    ),
    (
        "R12",
        "deliveries are believed without the hub's signature",
        &["a_forgery_without_the_hubs_secret_is_refused_and_nothing_of_it_is_kept"],
    ),
    (
        "R13",
        "the stored token of a registrar ends before MOSIP answers",
        &[
            "a_token_that_ends_before_mosip_answered_is_said_in_time",
            "a_clients_own_token_confirms_in_2_1_only",
        ],
    ),
    (
        "R14",
        "the workqueue misses corrections",
        &[
            "r14_the_workqueue_of_the_kit_lists_registrations_and_corrections_that_wait",
            "r14_a_workqueue_that_misses_what_waits_is_said",
        ],
    ),
    (
        "R15",
        "a 500 freezes the record for good",
        &[
            "what_breaks_in_us_is_a_400_from_which_the_registrar_can_go_on",
            "triggers_that_lose_patience_are_answered_400_and_surely_not_recorded",
            "a_birth_whose_trigger_was_answered_by_a_broken_proxy_is_found_and_ends_with_its_vid",
        ],
    ),
    (
        "R16",
        "the same trigger after the end makes a second packet",
        &[
            "each_event_has_one_effect_however_often_and_on_whatever_path_it_comes",
            "the_same_trigger_many_times_at_once_gets_one_answer",
        ],
    ),
    (
        "R17",
        "a credential without the id is taken for a death, and the birth accepted without it",
        &["a_credential_without_the_identifier_stalls_the_record_until_a_good_one_comes"],
    ),
    (
        "R18",
        "fields are put together as text",
        &["names_with_quotes_backslashes_and_other_scripts_arrive_as_they_were_written"],
    ),
    (
        "R19",
        "the caller gives up after 15 s, and the record is rejected while its packet is made",
        &[
            "f05_a_slow_mosip_is_not_waited_for_and_its_answer_lands",
            "a_record_that_was_rejected_meanwhile_is_a_persons_turn",
        ],
    ),
    ("F01", "MOSIP is down when asked", &["f01_f02_f04_mosip_is_down_and_the_same_intent_resumes"]),
    (
        "F02",
        "a retry after the recovery is refused for ever",
        &["f01_f02_f04_mosip_is_down_and_the_same_intent_resumes"],
    ),
    ("F03", "createPacket answers 200 with errors", &["f03_errors_inside_a_200_are_no_success"]),
    (
        "F04",
        "the workflow fails after the packet was made",
        &["f01_f02_f04_mosip_is_down_and_the_same_intent_resumes"],
    ),
    ("F05", "MOSIP is slower than 15 s", &["f05_a_slow_mosip_is_not_waited_for_and_its_answer_lands"]),
    (
        "F06",
        "OpenCRVS is down at the callback",
        &["f06_opencrvs_is_down_when_mosip_answers_and_nothing_is_lost"],
    ),
    (
        "F07",
        "the hub is down at the start",
        &[
            "f07_the_hub_is_down_at_the_start_and_work_goes_on_until_it_is_there",
            "a_hub_that_is_down_at_the_start_is_asked_until_it_is_there",
        ],
    ),
    (
        "F08",
        "the subscription is lost, and nobody notices",
        &[
            "f08_a_lost_subscription_is_noticed_and_what_it_did_not_bring_is_asked_for",
            "a_hub_that_fell_silent_is_subscribed_to_again_and_goes_on_where_it_stopped",
            "a_hub_that_stops_delivering_is_noticed_and_everything_is_known_by_asking",
        ],
    ),
    (
        "F09",
        "the same post while it is pending",
        &["f09_f10_the_same_post_while_pending_and_after_completion_has_one_effect"],
    ),
    (
        "F10",
        "the same post after its end",
        &["f09_f10_the_same_post_while_pending_and_after_completion_has_one_effect"],
    ),
    (
        "F11",
        "a delivery comes twice",
        &["f11_f12_f13_f14_deliveries_are_receipted_kept_and_never_believed_blindly"],
    ),
    (
        "F12",
        "a delivery cannot be opened",
        &["f11_f12_f13_f14_deliveries_are_receipted_kept_and_never_believed_blindly"],
    ),
    (
        "F13",
        "a delivery is of another kind",
        &["f11_f12_f13_f14_deliveries_are_receipted_kept_and_never_believed_blindly"],
    ),
    (
        "F14",
        "a delivery is forged",
        &["f11_f12_f13_f14_deliveries_are_receipted_kept_and_never_believed_blindly"],
    ),
    (
        "F15",
        "the process dies between two steps",
        &[
            "f15_killed_at_each_gap_nothing_is_lost_and_nothing_is_doubled",
            "sqlite_without_a_broker_survives_kills_and_a_failing_mosip",
            "kafka_and_postgresql_survive_kills_a_broker_restart_and_a_failing_mosip",
        ],
    ),
    ("F16", "neither certificate number is there", &["f16_a_request_for_nothing_is_refused_with_a_reason"]),
    (
        "F17",
        "the credential lacks the id",
        &["f17_f18_a_credential_without_the_id_or_of_another_certificate_is_held"],
    ),
    (
        "F18",
        "the credential is of another certificate",
        &[
            "f17_f18_a_credential_without_the_id_or_of_another_certificate_is_held",
            "a_credential_with_another_registration_number_is_not_taken",
        ],
    ),
    (
        "F19",
        "any challenge is echoed",
        &[
            "f19_a_challenge_that_nobody_here_waits_for_is_not_echoed",
            "a_challenge_is_echoed_for_what_we_asked_for_and_for_nothing_else",
        ],
    ),
    (
        "F20",
        "a debug route hands out tokens",
        &["f20_a_listed_transaction_can_be_let_go_and_no_token_comes_out"],
    ),
    ("F21", "issuer, audience and scope are not looked at", &["f21_issuer_audience_and_scope_are_checked"]),
    (
        "F22",
        "names break or inject JSON",
        &["f22_f23_names_survive_to_the_letter_and_each_packet_has_an_id_of_its_own"],
    ),
    ("F23", "ids collide", &["f22_f23_names_survive_to_the_letter_and_each_packet_has_an_id_of_its_own"]),
    (
        "F24",
        "an error page is cached as the public key",
        &[
            "f24_without_a_key_nothing_is_believed_and_nobody_is_called_unauthorised",
            "what_is_no_public_key_is_refused_at_once",
        ],
    ),
    (
        "F25",
        "personal data and secrets are logged",
        &[
            "f25_neither_names_nor_tokens_are_in_the_log_or_in_the_file_in_clear",
            "canaries_are_in_no_leaf_no_message_no_error_and_not_in_the_file",
        ],
    ),
];

#[test]
fn every_known_defect_names_tests_that_exist() {
    let mut sources = String::new();
    for folder in ["crates", "tests"] {
        super::read_sources(&civitas_tests::workspace().join(folder), &mut sources);
    }
    for (id, _, tests) in DEFECTS {
        for name in *tests {
            // Some are made by a macro, which names them otherwise.
            let there =
                [format!("fn {name}("), format!("    {name}:")].iter().any(|form| sources.contains(form));
            assert!(there, "{id} names {name}, which is no test");
        }
    }
    let numbered = (1..=19).map(|number| format!("R{number}"));
    let wanted: Vec<String> = numbered.chain((1..=25).map(|number| format!("F{number:02}"))).collect();
    let listed: Vec<&str> = DEFECTS.iter().map(|(id, ..)| *id).collect();
    assert_eq!(listed, wanted, "each once, in order");
}
