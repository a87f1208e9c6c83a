"""Makes vc-canonical.json: credentials of many shapes, canonicalised by PyLD, which knows nothing of Civitas.

    pip install PyLD==2.0.4
    python3 vc-canonical.py MOSIP_CONTEXT > vc-canonical.json

MOSIP_CONTEXT is mosip-context.json of mosip-config 1.3.0, in which the host is filled in as api.example.org. No base
IRI, no network: the contexts are those of ../../contexts. Seeded; the same on every run. Without tabs, which PyLD
escapes and the standard does not.
"""

import hashlib
import json
import pathlib
import random
import sys

from pyld import jsonld

HERE = pathlib.Path(__file__).parent
PINNED = HERE.parent.parent / "contexts"
HOST = "https://api.example.org"
CONTEXT = f"{HOST}/.well-known/mosip-context.json"
STOCK = json.load(open(sys.argv[1]))
COUNTRY = json.loads(json.dumps(STOCK))
COUNTRY["@context"].append(
    {
        "zone": "mosip:zone",
        "birthCertificateNumber": "mosip:birthCertificateNumber",
        "born": {"@id": "mosip:born", "@type": "xsd:date"},
        "parentName": {"@id": "mosip:parentName", "@context": {"value": "rdf:value", "lang": "@language"}},
        "tags": {"@id": "mosip:tags", "@container": "@set"},
    }
)
DOCUMENTS = {
    "https://www.w3.org/2018/credentials/v1": json.load(open(PINNED / "credentials-v1.jsonld")),
    "https://www.w3.org/ns/odrl.jsonld": json.load(open(PINNED / "odrl.jsonld")),
}
PLAIN = ["vcVer", "UIN", "VID", "dateOfBirth", "email", "phone", "postalCode", "biometrics"]
ODRL = ["status", "version", "count", "event", "unit", "language"]
BY_LANGUAGE = ["addressLine1", "addressLine2", "city", "gender", "residenceStatus", "fullName", "province", "region"]
UNKNOWN = ["birthCertificateNumber", "PSUT", "zone", "introducerInfoToken", "camelCase", "x-y", "ü"]
LETTERS = ["a", "Z", "9", " ", "é", "ß", "ि", "字", "\uffee", "\ue000", "😀", "𐍈", '"', "\\", "\n", "\r", "\b", "\f", "\x01", "\x1f", "\x7f", "\u2028", "<", ">", "^", "_:a"]
draw = random.Random(20261129)


def text(odd):
    letters = LETTERS if odd else LETTERS[:8]
    return "".join(draw.choice(letters) for _ in range(draw.randint(0, 12)))


def value(odd):
    return draw.choice([text(odd), text(odd), text(odd), draw.randint(-9, 2**53), True, False, None, 0])


def spoken(odd):
    node = {"language": draw.choice(["eng", "fra", "ara", "khm", "hin"]), "value": text(odd)}
    if draw.random() < 0.1:
        node.pop(draw.choice(["language", "value"]))
    if draw.random() < 0.1:
        node["note"] = {"deep": [1, {"deeper": text(odd)}]}
    if draw.random() < 0.05:
        node["value"] = draw.choice([None, True, 7])
    return node


def unknown(odd):
    return draw.choice([text(odd), 1.5, None, {"a": [text(odd), {"b": 1e30}]}, [text(odd), {"@x": {}}]])


def subject(number, odd, country):
    of = {"id": f"http://credential.idrepo/credentials/{10001200420000120260102030405 + number}"}
    members = [("vcVer", "VC-V1")]
    for name in draw.sample(PLAIN[1:], draw.randint(0, 5)):
        members.append((name, value(odd) if draw.random() < 0.7 else [value(odd) for _ in range(draw.randint(0, 4))]))
    for name in draw.sample(BY_LANGUAGE, draw.randint(0, 4)):
        many = [spoken(odd) for _ in range(draw.choice([1, 1, 2, 2, 3, 14]))]
        if draw.random() < 0.3:
            many.append(dict(many[0]))
        if draw.random() < 0.2:
            many.append(draw.choice([text(odd), None, 5]))
        members.append((name, draw.choice([many, many, many[0], text(odd)])))
    for name in draw.sample(ODRL, draw.choice([0, 0, 0, 1, 2])):
        members.append((name, value(odd)))
    for name in draw.sample(UNKNOWN, draw.randint(0, 3)):
        if not country or name not in ("zone", "birthCertificateNumber"):
            members.append((name, unknown(odd)))
    if draw.random() < 0.15:
        fingers = [{"subType": draw.choice(["Left Thumb", "Right Thumb"]), "rank": draw.randint(1, 3)} for _ in range(draw.randint(1, 4))]
        members.append(("bestTwoFingers", fingers))
    if draw.random() < 0.1:
        members.append(("phone", {"language": "eng", "value": text(odd)}))
    if draw.random() < 0.05:
        members.append(("fullName", {}))
    if country:
        members += [("zone", text(odd)), ("born", "2026-01-01"), ("parentName", [spoken(odd), spoken(odd)]), ("tags", [text(odd), text(odd)]), ("birthCertificateNumber", "BRN-1")]
    draw.shuffle(members)
    of.update(dict(members))
    return of


def credential(number):
    odd, country = number % 3 == 0, number % 4 == 0
    types = ["VerifiableCredential", "MOSIPVerifiableCredential"]
    whole = {
        "@context": ["https://www.w3.org/2018/credentials/v1", CONTEXT, {"sec": "https://w3id.org/security#"}],
        "id": f"http://credential.idrepo/credentials/0e6a1f5c-6d0b-4a2e-9a57-{number:012}",
        "type": draw.choice([types, types[::-1], types[:1], types[0]]),
        "issuer": f"{HOST}/.well-known/controller.json",
        "issuanceDate": f"2026-01-02T03:{number % 60:02}:00.{number:03}Z",
        "credentialSubject": subject(number, odd, country),
    }
    if draw.random() < 0.1:
        whole["nonTransferable"] = {"a": "b"}
    return country, whole


def canonical(country, whole):
    known = dict(DOCUMENTS, **{CONTEXT: COUNTRY if country else STOCK})

    def load(url, _options=None):
        return {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": url, "document": known[url]}

    options = {"algorithm": "URDNA2015", "format": "application/n-quads", "base": "", "documentLoader": load}
    return jsonld.normalize(whole, options)


cases = []
for number in range(200):
    country, whole = credential(number)
    quads = canonical(country, whole)
    digest = hashlib.sha256(quads.encode()).hexdigest()
    cases.append({"country": country, "sha256": digest, "lines": quads.count("\n"), "credential": whole})
print('{"country_terms":', json.dumps(COUNTRY["@context"][-1], ensure_ascii=False), ',"cases":[')
print(",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in cases))
print("]}")
