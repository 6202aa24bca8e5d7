import { boolean, string } from '@millrace/config'

export const STANDARD_AUTHORIZER = 'org.apache.kafka.metadata.authorizer.StandardAuthorizer'

/** Broker keys of who may do what, under Kafka's names and with Kafka's defaults. */
export const aclConfigDefinition = {
  authorizerClassName: string('authorizer.class.name', {
    default: '',
    check: (value) =>
      value === '' || value === STANDARD_AUTHORIZER ? null : `empty or ${STANDARD_AUTHORIZER}`,
    doc: `Empty, and everybody may do everything; or ${STANDARD_AUTHORIZER}, and ACLs say who may do what.`,
  }),
  superUsers: string('super.users', {
    default: '',
    check: superUsersProblem,
    doc: 'Principals that may do everything, separated by semicolons: User:admin;User:CN=broker,O=us.',
  }),
  allowEveryoneIfNoAclFound: boolean('allow.everyone.if.no.acl.found', {
    default: false,
    doc: 'Whether a resource that no ACL covers is open to everybody instead of to super users only.',
  }),
}

/** The principals of `super.users`. */
export function parseSuperUsers(text: string): ReadonlySet<string> {
  return new Set(
    text
      .split(';')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  )
}

function superUsersProblem(text: string): string | null {
  const isBad = [...parseSuperUsers(text)].some((part) => !part.includes(':'))
  return isBad ? 'principals as Type:name, separated by semicolons' : null
}
