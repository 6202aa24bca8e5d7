import type { Logger } from '@millrace/telemetry'
import { principalText } from '../principal'
import type { Acl } from './acl'
import { AclIndex } from './acl-index'
import { AnswerMemory } from './answer-memory'
import type { Audit, Authorizer, Requester } from './authorizer'
import {
  AclOperation,
  codeName,
  EVERYBODY,
  PatternType,
  PermissionType,
  ResourceType,
  WILDCARD,
} from './codes'

/** Answers that are kept until a rule changes; when there are more, all are forgotten and found anew. */
const ANSWERS_MAX_COUNT = 20_000
/** More than there are resource types: operation and type together are one number. */
const QUESTIONS_PER_OPERATION = 16

const { ALL, READ, WRITE, DELETE, ALTER, DESCRIBE, ALTER_CONFIGS, DESCRIBE_CONFIGS } = AclOperation

/** Who may do one of these may also do the other. Only what is allowed implies anything: DENY means what it says. */
const IMPLIED_BY: Readonly<Partial<Record<AclOperation, readonly number[]>>> = {
  [DESCRIBE]: [READ, WRITE, DELETE, ALTER],
  [DESCRIBE_CONFIGS]: [ALTER_CONFIGS],
}

export interface AclAuthorizerOptions {
  /** `User:admin`: they may do everything, whatever the rules say. */
  readonly superUsers: ReadonlySet<string>
  /** Whether a resource that no rule covers is open to everybody. */
  readonly allowsWithoutAcl: boolean
}

/** The rule that settled a question: an ACL, or the name of a rule that always holds. */
interface Answer {
  readonly isAllowed: boolean
  readonly rule: Acl | 'SuperUser' | 'DefaultAllow' | 'DefaultDeny'
}

/**
 * Kafka's rules on ACLs: super users may do everything; a DENY that fits wins over every ALLOW; what no rule allows is denied,
 * unless the resource has no rules at all and `allow.everyone.if.no.acl.found` is set (SEC-1).
 */
export class AclAuthorizer implements Authorizer {
  readonly isEnforcing = true
  readonly #logger: Logger
  readonly #options: AclAuthorizerOptions
  readonly #answers = new AnswerMemory<Answer>(ANSWERS_MAX_COUNT)
  readonly #index = new AclIndex()

  constructor(deps: { logger: Logger }, options: AclAuthorizerOptions) {
    this.#logger = deps.logger
    this.#options = options
  }

  /** Puts the rule of an `aclKey` in force at once, or takes it out of force (null). */
  change(key: string, acl: Acl | null): void {
    if (acl === null) this.#index.remove(key)
    else this.#index.add(key, acl)
    this.#answers.clear()
  }

  allows(
    who: Requester,
    operation: AclOperation,
    resourceType: ResourceType,
    resourceName: string,
    audit: Audit,
  ): boolean {
    const question = operation * QUESTIONS_PER_OPERATION + resourceType
    let answer = this.#answers.get(who, question, resourceName)
    if (!answer) {
      answer = this.#decide(this.#index.covering(resourceType, resourceName), who, operation)
      this.#answers.set(who, question, resourceName, answer)
    }
    if (!answer.isAllowed && !audit.isQuiet)
      this.#logger.info('access denied', {
        principal: principalText(who.principal),
        host: who.host,
        operation: codeName(AclOperation, operation),
        resource: `${codeName(ResourceType, resourceType)}:${resourceName}`,
        request: audit.request,
        rule: formatRule(answer.rule),
      })
    return answer.isAllowed
  }

  allowsOnSome(who: Requester, operation: AclOperation, resourceType: ResourceType): boolean {
    // A name that no rule names: super users and whoever is allowed on everything need no further look.
    const anyName = this.#decide(this.#index.covering(resourceType, 'hardcode'), who, operation)
    if (anyName.isAllowed) return true
    const fitting = [...this.#index.ofType(resourceType)].filter(
      (acl) => isAbout(acl, who) && (acl.operation === operation || acl.operation === ALL),
    )
    const denied = fitting.filter(({ permissionType }) => permissionType === PermissionType.DENY)
    if (denied.some((acl) => isWildcard(acl))) return false
    return fitting
      .filter(({ permissionType }) => permissionType === PermissionType.ALLOW)
      .some((allowed) => isWildcard(allowed) || !denied.some((acl) => dominates(acl, allowed)))
  }

  #decide(covering: readonly Acl[], who: Requester, operation: AclOperation): Answer {
    if (this.#options.superUsers.has(principalText(who.principal)))
      return { isAllowed: true, rule: 'SuperUser' }
    if (covering.length === 0)
      return this.#options.allowsWithoutAcl
        ? { isAllowed: true, rule: 'DefaultAllow' }
        : { isAllowed: false, rule: 'DefaultDeny' }
    const fitting = covering.filter((acl) => isAbout(acl, who) && isFor(acl, operation))
    const deny = fitting.find(({ permissionType }) => permissionType === PermissionType.DENY)
    if (deny) return { isAllowed: false, rule: deny }
    return fitting.length > 0
      ? { isAllowed: true, rule: fitting[0] }
      : { isAllowed: false, rule: 'DefaultDeny' }
  }
}

function isAbout(acl: Acl, { principal, host }: Requester): boolean {
  const isHost = acl.host === WILDCARD || acl.host === host
  return isHost && (acl.principal === EVERYBODY || acl.principal === principalText(principal))
}

function isFor(acl: Acl, operation: AclOperation): boolean {
  if (acl.operation === ALL || acl.operation === operation) return true
  const isImplied = IMPLIED_BY[operation]?.includes(acl.operation) ?? false
  return isImplied && acl.permissionType === PermissionType.ALLOW
}

function isWildcard(acl: Acl): boolean {
  return acl.patternType === PatternType.LITERAL && acl.resourceName === WILDCARD
}

/** Whether the denial covers everything that the other rule allows. */
function dominates(denied: Acl, allowed: Acl): boolean {
  if (denied.patternType === PatternType.PREFIXED)
    return allowed.resourceName.startsWith(denied.resourceName)
  return allowed.patternType === PatternType.LITERAL && allowed.resourceName === denied.resourceName
}

function formatRule(rule: Answer['rule']): string {
  if (typeof rule === 'string') return rule
  const { permissionType, principal, operation, host, patternType, resourceName } = rule
  return [
    codeName(PermissionType, permissionType),
    principal,
    codeName(AclOperation, operation),
    `on ${codeName(PatternType, patternType)} ${resourceName}`,
    `from ${host}`,
  ].join(' ')
}
