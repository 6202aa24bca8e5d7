import { createLogger, silentLogger, type Logger } from '@millrace/telemetry'
import fc from 'fast-check'
import { aclKey, type Acl } from './acl'
import { AclAuthorizer, type AclAuthorizerOptions } from './acl-authorizer'
import type { Requester } from './authorizer'
import { AclOperation, PatternType, PermissionType, ResourceType } from './codes'

const AUDIT = { request: 'Produce' }
const ALICE: Requester = { principal: { type: 'User', name: 'alice' }, host: '10.0.0.1' }
const BOB: Requester = { principal: { type: 'User', name: 'bob' }, host: '10.0.0.2' }

function anAcl(parts: Partial<Acl> = {}): Acl {
  return {
    resourceType: ResourceType.TOPIC,
    resourceName: 'orders',
    patternType: PatternType.LITERAL,
    principal: 'User:alice',
    host: '*',
    operation: AclOperation.READ,
    permissionType: PermissionType.ALLOW,
    ...parts,
  }
}

function anAuthorizer(
  acls: readonly Acl[],
  options: Partial<AclAuthorizerOptions> & { logger?: Logger } = {},
): AclAuthorizer {
  const authorizer = new AclAuthorizer(
    { logger: options.logger ?? silentLogger },
    { superUsers: new Set(), allowsWithoutAcl: false, ...options },
  )
  for (const acl of acls) authorizer.change(aclKey(acl), acl)
  return authorizer
}

function mayRead(authorizer: AclAuthorizer, who: Requester, topic = 'orders'): boolean {
  return authorizer.allows(who, AclOperation.READ, ResourceType.TOPIC, topic, AUDIT)
}

describe('AclAuthorizer', () => {
  it('denies what no rule allows', () => {
    const authorizer = anAuthorizer([anAcl()])
    expect(mayRead(authorizer, ALICE)).toBe(true)
    expect(mayRead(authorizer, BOB)).toBe(false)
    expect(mayRead(authorizer, ALICE, 'orders2')).toBe(false)
    expect(mayRead(authorizer, ALICE, 'order')).toBe(false)
  })

  it('opens resources without any rule to everybody if told so, and only those', () => {
    const authorizer = anAuthorizer([anAcl()], { allowsWithoutAcl: true })
    expect(mayRead(authorizer, BOB, 'others')).toBe(true)
    expect(mayRead(authorizer, BOB)).toBe(false)
  })

  it('lets a DENY win over every ALLOW, but not over a super user', () => {
    const acls = [
      anAcl({ operation: AclOperation.ALL }),
      anAcl({
        resourceName: 'or',
        patternType: PatternType.PREFIXED,
        principal: 'User:*',
        permissionType: PermissionType.DENY,
      }),
    ]
    expect(mayRead(anAuthorizer(acls), ALICE)).toBe(false)
    expect(mayRead(anAuthorizer(acls, { superUsers: new Set(['User:alice']) }), ALICE)).toBe(true)
  })

  it('takes READ for DESCRIBE when it allows, and not when it denies', () => {
    const describes = (acls: Acl[]) =>
      anAuthorizer(acls).allows(ALICE, AclOperation.DESCRIBE, ResourceType.TOPIC, 'orders', AUDIT)
    expect(describes([anAcl()])).toBe(true)
    expect(
      describes([
        anAcl({ permissionType: PermissionType.DENY }),
        anAcl({ operation: AclOperation.WRITE }),
      ]),
    ).toBe(true)
  })

  it('sees a change of the rules at once', () => {
    const authorizer = anAuthorizer([anAcl()])
    expect(mayRead(authorizer, ALICE)).toBe(true)
    authorizer.change(aclKey(anAcl()), null)
    expect(mayRead(authorizer, ALICE)).toBe(false)
  })

  it('does not take one name for another by what stands in them', () => {
    const authorizer = anAuthorizer([anAcl({ resourceName: 'a' })])
    expect(mayRead(authorizer, ALICE, 'a')).toBe(true)
    const disguised = { type: 'User', name: 'x@User:alice' }
    expect(mayRead(authorizer, { principal: disguised, host: '10.0.0.1' }, 'a')).toBe(false)
    expect(
      mayRead(authorizer, { principal: { type: '', name: 'e' }, host: '1' }, 'aUser:alic'),
    ).toBe(false)
  })

  it('writes one line for each denial, and none for what is only filtered', () => {
    const lines: string[] = []
    const logger = createLogger({ level: 'info', write: (line) => lines.push(line), now: () => 0 })
    const authorizer = anAuthorizer([], { logger })
    mayRead(authorizer, ALICE)
    mayRead(authorizer, ALICE)
    const quiet = { request: 'Metadata', isQuiet: true }
    authorizer.allows(ALICE, AclOperation.DESCRIBE, ResourceType.TOPIC, 'orders', quiet)
    expect(lines).toHaveLength(2)
    expect(lines[0]).toContain(
      'access denied principal=User:alice host=10.0.0.1 operation=READ resource=TOPIC:orders request=Produce rule=DefaultDeny',
    )
  })

  it('allows on some resource unless a denial covers all that is allowed', () => {
    const allowed = anAcl({ operation: AclOperation.WRITE, resourceName: 'orders' })
    const writesSome = (acls: Acl[], options = {}) =>
      anAuthorizer(acls, options).allowsOnSome(ALICE, AclOperation.WRITE, ResourceType.TOPIC)
    const deny = (parts: Partial<Acl>) =>
      anAcl({ operation: AclOperation.WRITE, permissionType: PermissionType.DENY, ...parts })
    expect(writesSome([])).toBe(false)
    expect(writesSome([allowed])).toBe(true)
    expect(writesSome([allowed, deny({ resourceName: 'payments' })])).toBe(true)
    expect(writesSome([allowed, deny({ resourceName: 'orders' })])).toBe(false)
    expect(writesSome([allowed, deny({ resourceName: '*' })])).toBe(false)
    expect(
      writesSome([allowed, deny({ resourceName: 'ord', patternType: PatternType.PREFIXED })]),
    ).toBe(false)
    expect(writesSome([deny({ resourceName: '*' })], { superUsers: new Set(['User:alice']) })).toBe(
      true,
    )
  })
})

/** Kafka's rules as they are described, without an index, an order or a memory. */
function naive(
  acls: readonly Acl[],
  question: { who: Requester; operation: number; resourceType: number; name: string },
  options: AclAuthorizerOptions,
): boolean {
  const { who, operation, resourceType, name } = question
  const principal = `${who.principal.type}:${who.principal.name}`
  if (options.superUsers.has(principal)) return true
  const covering = acls.filter(
    (acl) =>
      acl.resourceType === resourceType &&
      (acl.patternType === PatternType.PREFIXED
        ? name.startsWith(acl.resourceName)
        : acl.resourceName === name || acl.resourceName === '*'),
  )
  if (covering.length === 0) return options.allowsWithoutAcl
  const about = covering.filter(
    (acl) =>
      (acl.principal === 'User:*' || acl.principal === principal) &&
      (acl.host === '*' || acl.host === who.host),
  )
  const means = (acl: Acl, implied: readonly number[]) =>
    acl.operation === AclOperation.ALL || [operation, ...implied].includes(acl.operation)
  const implied =
    operation === AclOperation.DESCRIBE
      ? [AclOperation.READ, AclOperation.WRITE, AclOperation.DELETE, AclOperation.ALTER]
      : operation === AclOperation.DESCRIBE_CONFIGS
        ? [AclOperation.ALTER_CONFIGS]
        : []
  const isDenied = about.some((a) => a.permissionType === PermissionType.DENY && means(a, []))
  return (
    !isDenied && about.some((a) => a.permissionType === PermissionType.ALLOW && means(a, implied))
  )
}

describe('random rules', () => {
  const name = fc.constantFrom('*', 'a', 'ab', 'abc', 'b', 'ba', 'c')
  const resourceType = fc.constantFrom(ResourceType.TOPIC, ResourceType.GROUP)
  const operation = fc.constantFrom(...Object.values(AclOperation).filter((code) => code > 1))
  const anyAcl: fc.Arbitrary<Acl> = fc.record({
    resourceType,
    resourceName: name,
    patternType: fc.constantFrom(PatternType.LITERAL, PatternType.PREFIXED),
    principal: fc.constantFrom('User:*', 'User:alice', 'User:bob'),
    host: fc.constantFrom('*', '10.0.0.1', '10.0.0.2'),
    operation,
    permissionType: fc.constantFrom(
      PermissionType.ALLOW,
      PermissionType.ALLOW,
      PermissionType.DENY,
    ),
  })
  const anyQuestion = fc.record({
    who: fc.constantFrom(ALICE, BOB),
    operation: operation.filter((code) => code !== AclOperation.ALL),
    resourceType,
    name,
  })
  type Question = typeof anyQuestion extends fc.Arbitrary<infer T> ? T : never
  const anyOptions = fc.record({
    superUsers: fc.constantFrom(new Set<string>(), new Set(['User:bob'])),
    allowsWithoutAcl: fc.boolean(),
  })

  const ask = (authorizer: AclAuthorizer, { who, operation, resourceType, name }: Question) => ({
    allows: authorizer.allows(who, operation, resourceType, name, AUDIT),
    allowsOnSome: authorizer.allowsOnSome(who, operation, resourceType),
  })

  it('SEC-1: decide as the rules say, also when asked again', () => {
    fc.assert(
      fc.property(
        fc.array(anyAcl, { maxLength: 12 }),
        fc.array(anyQuestion, { minLength: 1, maxLength: 30 }),
        anyOptions,
        (rules, questions, options) => {
          const authorizer = anAuthorizer(rules, options)
          for (const question of [...questions, ...questions])
            expect(ask(authorizer, question).allows).toBe(naive(rules, question, options))
        },
      ),
      { numRuns: 300 },
    )
  })

  it('SEC-1: decide after any changes as if only those that are left had ever been there', () => {
    fc.assert(
      fc.property(
        // Few rules, so that most are removed and come again.
        fc.array(anyAcl, { minLength: 1, maxLength: 8 }),
        fc.array(fc.record({ at: fc.nat(7), isRemoved: fc.boolean() }), { maxLength: 40 }),
        fc.array(anyQuestion, { minLength: 1, maxLength: 10 }),
        anyOptions,
        (pool, changes, questions, options) => {
          const left = new Map<string, Acl>()
          const authorizer = anAuthorizer([], options)
          for (const { at, isRemoved } of changes) {
            const acl = pool[at % pool.length]
            const key = aclKey(acl)
            if (isRemoved) left.delete(key)
            else left.set(key, acl)
            authorizer.change(key, isRemoved ? null : acl)
            const anew = anAuthorizer([...left.values()], options)
            for (const question of questions)
              expect(ask(authorizer, question)).toEqual(ask(anew, question))
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})
