import type { AclOperation, ResourceType } from './acl-codes'
import type { Principal } from './principal'

/** Decides who may do what. Called on the path of every request: synchronous, and cheap for a question asked before. */
export interface Authorizer {
  allows(
    who: { readonly principal: Principal; readonly host: string },
    operation: AclOperation,
    resourceType: ResourceType,
    resourceName: string,
  ): boolean
}

/** Of a broker without `authorizer.class.name`. */
export const allowAll: Authorizer = { allows: () => true }
