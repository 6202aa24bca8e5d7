import type { Principal } from '../principal'
import type { AclOperation, ResourceType } from './codes'

/** Who asks, and from where. */
export interface Requester {
  readonly principal: Principal
  /** The address as ACLs name it: see `hostAddress`. */
  readonly host: string
}

/** How a denial is told in the audit log. */
export interface Audit {
  /** The request that asks, `Produce`. */
  readonly request: string
  /** Not at all: the answer only filters what is shown, nobody tried to get at the resource. */
  readonly isQuiet?: boolean
}

/** Decides who may do what. Called on the path of every request: synchronous, and cheap for a question asked before. */
export interface Authorizer {
  /** Whether there are rules at all; without them the requests about ACLs are refused. */
  readonly isEnforcing: boolean
  allows(
    who: Requester,
    operation: AclOperation,
    resourceType: ResourceType,
    resourceName: string,
    audit: Audit,
  ): boolean
  /** Whether it is allowed on at least one resource of the type, which need not exist. */
  allowsOnSome(who: Requester, operation: AclOperation, resourceType: ResourceType): boolean
}

/** Of a broker without `authorizer.class.name`. */
export const allowAll: Authorizer = {
  isEnforcing: false,
  allows: () => true,
  allowsOnSome: () => true,
}
