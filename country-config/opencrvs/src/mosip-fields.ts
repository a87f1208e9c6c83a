// Form fields of identification with MOSIP, for FAR.
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

const CLAIMS = {"userinfo":{"name":{"essential":true},"birthdate":{"essential":true},"gender":{"essential":false}},"id_token":{}}
const UI_LOCALES = "en fr"

function authorize({ authorizeUrl, clientId }: Settings): string {
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

/** The fields, by event and person. Each belongs on the person's page, before the fields that it fills. */
export function mosipFields<Ref>(field: Field<Ref>, settings: Settings) {
  return {
    birth: {
      mother: person(field, settings, "mother"),
      father: person(field, settings, "father"),
      informant: person(field, settings, "informant"),
    },
    death: {
      deceased: person(field, settings, "deceased"),
      informant: person(field, settings, "informant"),
      spouse: person(field, settings, "spouse"),
    },
  }
}

/** Where the fields of a person find what e-Signet or a QR told: the last part of a field's id to the path. */
export const FILLED_BY = {
  "psut": {
    "esignet": "data.sub"
  },
  "name": {
    "esignet": "data.name",
    "qr": "data.name"
  },
  "dob": {
    "esignet": "data.birthDate",
    "qr": "data.birthDate"
  },
  "nid": {
    "qr": "data.nid"
  }
} as const
