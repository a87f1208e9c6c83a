//! `civitas country form-fields`: the fields by which a form of OpenCRVS identifies people with MOSIP, out of
//! `identity.yaml`, as TypeScript for the country configuration.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use civitas_rules::{Claim, IdentityFile, Pack};
use clap::Args;
use serde_json::{Map, Value, json};

use super::style::say;
use crate::pack;

/// Write the form fields of identification with MOSIP, as TypeScript.
#[derive(Debug, Args)]
pub struct FormFields {
    /// Folder of the pack
    pack: PathBuf,
    /// File to write into; without it, the text is printed
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Only check that the file is up to date
    #[arg(long, requires = "out")]
    check: bool,
}

pub(super) fn run(arguments: &FormFields) -> anyhow::Result<ExitCode> {
    let text = typescript(&pack::load(&arguments.pack)?);
    let Some(out) = &arguments.out else {
        say(&text);
        return Ok(ExitCode::SUCCESS);
    };
    if arguments.check {
        let there = fs::read_to_string(out).unwrap_or_default();
        if there == text {
            return Ok(ExitCode::SUCCESS);
        }
        eprintln!("{} is not what the pack makes of it: write it anew without --check", out.display());
        return Ok(ExitCode::FAILURE);
    }
    fs::write(out, text).with_context(|| format!("cannot write {}", out.display()))?;
    println!("wrote {}", out.display());
    Ok(ExitCode::SUCCESS)
}

/// The module's text.
fn typescript(pack: &Pack) -> String {
    let identity = pack.identity();
    let mut text = HEAD.replace("{country}", &pack.country().code);
    let languages: Vec<&str> =
        pack.country().languages.iter().map(|language| language.code.as_str()).collect();
    let claims = claims(identity).to_string();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "const CLAIMS = {claims}");
    let _ = writeln!(text, "const UI_LOCALES = {}\n", Value::from(languages.join(" ")));
    text.push_str(PERSON);
    text.push_str("/** The fields, by event and person. Each belongs on the person's page, before the fields that it fills. */\n");
    text.push_str("export function mosipFields<Ref>(field: Field<Ref>, settings: Settings) {\n  return {\n");
    for (event, persons) in &identity.persons {
        let _ = writeln!(text, "    {}: {{", key(event));
        for person in persons {
            let _ = writeln!(
                text,
                "      {}: person(field, settings, {}),",
                key(person),
                Value::from(person.as_str())
            );
        }
        text.push_str("    },\n");
    }
    text.push_str("  }\n}\n\n");
    text.push_str(
        "/** Where the fields of a person find what e-Signet or a QR told: the last part of a field's id to the path. */\n",
    );
    let _ = writeln!(text, "export const FILLED_BY = {:#} as const", filled(identity));
    text
}

fn key(name: &str) -> String {
    let plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && !name.starts_with(|letter: char| letter.is_ascii_digit());
    if plain { name.to_owned() } else { Value::from(name).to_string() }
}

/// The claims parameter of an authorisation request.
fn claims(identity: &IdentityFile) -> Value {
    let esignet = &identity.esignet;
    let asked = |claims: &[Claim], essential: bool| -> Map<String, Value> {
        let names = claims.iter().filter(|claim| **claim != Claim::Sub);
        names.map(|claim| (word(*claim), json!({ "essential": essential }))).collect()
    };
    let mut info = asked(&esignet.essential, true);
    info.extend(asked(&esignet.voluntary, false));
    json!({ "userinfo": info, "id_token": {} })
}

fn word(claim: Claim) -> String {
    // A unit variant serialises as its word.
    serde_json::to_value(claim).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Form field, without the section → paths in the answer of e-Signet and of the QR reader.
fn filled(identity: &IdentityFile) -> Value {
    let mut fields = Map::new();
    for (claim, field) in &identity.esignet.fields {
        let path = match claim {
            Claim::Sub => "data.sub",
            Claim::Birthdate => "data.birthDate",
            Claim::Gender => "data.gender",
            Claim::IndividualId => "data.nid",
            Claim::Name => "data.name",
            // What the answer of the mediator has no place for is not filled.
            _ => continue,
        };
        fields.insert(field.clone(), json!({ "esignet": path }));
    }
    for (attribute, field) in &identity.qr.fields {
        let path = match attribute {
            civitas_rules::QrAttribute::Id => "data.nid",
            civitas_rules::QrAttribute::FullName => "data.name",
            civitas_rules::QrAttribute::DateOfBirth => "data.birthDate",
            civitas_rules::QrAttribute::Gender => "data.gender",
            _ => continue,
        };
        let entry = fields.entry(field.clone()).or_insert_with(|| json!({}));
        entry["qr"] = json!(path);
    }
    Value::Object(fields)
}

const HEAD: &str = r"// Form fields of identification with MOSIP, for {country}.
// Made by `civitas country form-fields`; change identity.yaml and make it anew.

/** What refers to another field of the form; `field` of OpenCRVS's toolkit fits. */
export type Field<Ref> = (id: string) => Ref & { get(path: string): unknown }

/** What differs from deployment to deployment. */
export interface Settings {
  /** Where the answer of e-Signet is read: `…/esignet/get-oidp-user-info`. */
  readonly userInfoUrl: string
  /** e-Signet's authorisation endpoint. */
  readonly authorizeUrl: string
  /** Our client id at e-Signet. */
  readonly clientId: string
  /** The toolkit's term for the address of the page that is open. */
  readonly page: unknown
  /** The toolkit's term for `Bearer` and the token of whoever fills the form in. */
  readonly authorization: unknown
}

";

const PERSON: &str = r"function authorize({ authorizeUrl, clientId }: Settings): string {
  const url = new URL(authorizeUrl)
  // OpenCRVS adds redirect_uri, the page that the person comes back to.
  for (const [name, value] of [
    ['client_id', clientId],
    ['response_type', 'code'],
    ['scope', 'openid profile'],
    ['acr_values', 'mosip:idp:acr:generated-code'],
    ['claims', JSON.stringify(CLAIMS)],
    ['ui_locales', UI_LOCALES],
    ['state', 'noop']
  ] as const) {
    url.searchParams.set(name, value)
  }
  return url.href
}

function label(person: string, field: string, defaultMessage: string) {
  const id = `event.mosip.${person}.${field}`
  return { id, defaultMessage, description: `MOSIP: ${field} of ${person}` }
}

function person<Ref>(field: Field<Ref>, settings: Settings, name: string) {
  const id = (part: string) => `${name}.${part}`
  const fetched = () => field(id('verify-nid-http-fetch'))
  const link = {
    id: id('verify'),
    type: 'LINK_BUTTON',
    label: label(name, 'verify', 'Authenticate with e-Signet'),
    configuration: {
      icon: { name: 'Globe', size: 'small' },
      url: authorize(settings),
      text: label(name, 'verify.text', 'e-Signet')
    }
  } as const
  const qr = {
    id: id('qr'),
    type: 'QR_READER',
    label: label(name, 'qr', 'Scan the ID'),
    configuration: { validator: { type: 'object', properties: {} } }
  } as const
  return [
    {
      id: id('verified'),
      type: 'VERIFICATION_STATUS',
      label: label(name, 'verified', 'Verification'),
      parent: [fetched(), field(id('id-reader'))],
      value: [
        fetched().get('data.verificationStatus'),
        field(id('id-reader')).get('data.verificationStatus')
      ],
      configuration: {
        status: label(name, 'verified.status', 'Status of the identification'),
        description: label(name, 'verified.description', 'How the person was identified')
      }
    },
    {
      id: id('query-params'),
      type: 'QUERY_PARAM_READER',
      label: label(name, 'query-params', 'Answer of e-Signet'),
      configuration: { pickParams: ['code', 'state'] }
    },
    {
      id: id('verify-nid-http-fetch'),
      type: 'HTTP',
      label: label(name, 'verify-nid-http-fetch', 'Data of the person'),
      parent: field(id('query-params')),
      configuration: {
        trigger: field(id('query-params')),
        url: settings.userInfoUrl,
        method: 'POST',
        timeout: 5000,
        params: {
          code: field(id('query-params')).get('data.code'),
          state: field(id('query-params')).get('data.state')
        },
        headers: { 'Content-Type': 'application/json', Authorization: settings.authorization },
        body: { clientId: settings.clientId, redirectUri: settings.page },
        // The form shows what could not be asked as what did not match; it knows no third state.
        errorValue: { verificationStatus: 'failed' }
      }
    },
    {
      id: id('fetch-loader'),
      type: 'LOADER',
      label: label(name, 'fetch-loader', 'Fetching the data of the person from e-Signet'),
      parent: fetched(),
      configuration: { text: label(name, 'fetch-loader.text', 'Fetching the data of the person from e-Signet') }
    },
    {
      id: id('id-reader'),
      type: 'ID_READER',
      label: label(name, 'id-reader', 'Identification'),
      parent: field(id('query-params')),
      methods: [link, qr]
    },
    link
  ] as const
}

";
