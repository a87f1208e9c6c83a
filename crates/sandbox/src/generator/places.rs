//! Addresses, facilities and documents.

use super::names::pick;
use crate::entropy::uuid;
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

const AREAS: [&str; 4] = [
    "afaead2b-7ef5-4adb-b4bf-3d2b8437c284",
    "967032fd-3f81-478a-826c-30cb8fe121bd",
    "61ea5fa0-b4d5-4a3a-9d5c-1b6a3d0a1f10",
    "89a33893-b17d-481d-a26d-6461e7ac1651",
];
const TOWNS: [&str; 7] =
    ["Ibombo", "Saint-Louis", "শ্রীপুর", "አዲስ አበባ", "القاهرة", "Nuku'alofa", "Pulpit \"Rock\""];
const STREETS: [&str; 5] = ["12 Main", "Rue de l'Église", "C:\\Lane", "Station Road", "ዋና መንገድ"];

/// An ADDRESS value, nearly always domestic.
pub(crate) fn address(rng: &mut StdRng) -> Value {
    if rng.random_bool(0.03) {
        return json!({"country": "GBR", "addressType": "INTERNATIONAL",
            "streetLevelDetails": {"state": "Greater London", "district2": "Camden", "cityOrTown": "London"}});
    }
    let mut details = json!({"town": pick(rng, &TOWNS)});
    if rng.random_bool(0.7) {
        details["street"] = json!(pick(rng, &STREETS));
        details["number"] = json!(rng.random_range(1..400).to_string());
        details["residentialArea"] = json!("Zone 4");
        details["zipCode"] = json!(rng.random_range(10_000..99_999).to_string());
    }
    json!({"country": "FAR", "addressType": "DOMESTIC", "administrativeArea": pick(rng, &AREAS), "streetLevelDetails": details})
}

/// A FILE value; the bytes are never inlined.
pub(crate) fn file(rng: &mut StdRng, name: &str) -> Value {
    json!({"path": format!("/ocrvs/{}/{}.png", uuid(rng), uuid(rng)), "originalFilename": format!("{name}.png"), "type": "image/png"})
}

/// A FILE_WITH_OPTIONS value.
pub(crate) fn files(rng: &mut StdRng, options: &[&str]) -> Value {
    let list: Vec<Value> = options
        .iter()
        .map(|option| {
            let mut one = file(rng, &option.to_lowercase());
            one["option"] = json!(option);
            one
        })
        .collect();
    Value::Array(list)
}
