import type { AclOperation, ResourceType } from '@millrace/security'
import type { ClientSession } from '../network/session'
import type { BrokerServices } from '../services'

/** What a handler knows besides the request itself. */
export class RequestContext {
  constructor(
    readonly apiVersion: number,
    readonly clientId: string | null,
    readonly client: ClientSession,
    readonly broker: BrokerServices,
  ) {}

  /** Whether the client may do this. */
  allows(operation: AclOperation, resourceType: ResourceType, resourceName: string): boolean {
    return this.broker.authorizer.allows(this.client, operation, resourceType, resourceName)
  }
}
