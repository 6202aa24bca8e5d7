import {
  type AclOperation,
  CLUSTER_NAME,
  operationsOf,
  ResourceType,
  type Audit,
} from '@millrace/security'
import type { ClientSession } from '../network/session'
import type { RequestThrottle } from '../network/throttle'
import type { BrokerServices } from '../services'

/** What a handler knows besides the request itself. */
export class RequestContext {
  readonly #audit: Audit

  constructor(
    readonly apiVersion: number,
    readonly clientId: string | null,
    readonly client: ClientSession,
    readonly broker: BrokerServices,
    /** For the audit log: `Produce`. */
    requestName: string,
    /** Null while no quota is set. */
    readonly throttle: RequestThrottle | null,
  ) {
    this.#audit = { request: requestName }
  }

  /** Whether the client may do this. A no is written to the audit log. */
  allows(operation: AclOperation, resourceType: ResourceType, resourceName: string): boolean {
    const { authorizer } = this.broker
    return authorizer.allows(this.client, operation, resourceType, resourceName, this.#audit)
  }

  allowsOnCluster(operation: AclOperation): boolean {
    return this.allows(operation, ResourceType.CLUSTER, CLUSTER_NAME)
  }

  /** Like `allows`, to choose what to show or which right to ask next: a no is nothing to write down. */
  allowsQuietly(
    operation: AclOperation,
    resourceType: ResourceType,
    resourceName: string,
  ): boolean {
    const audit = { ...this.#audit, isQuiet: true }
    const { authorizer } = this.broker
    return authorizer.allows(this.client, operation, resourceType, resourceName, audit)
  }

  /** Whether the client may do this to at least one resource of the type. */
  allowsOnSome(operation: AclOperation, resourceType: ResourceType): boolean {
    return this.broker.authorizer.allowsOnSome(this.client, operation, resourceType)
  }

  /**
   * Whether the client may make or remove so many partitions now; if not, the answer is THROTTLING_QUOTA_EXCEEDED. Versions
   * before `strictSince` do not know that error: they are let through, and their client has to wait.
   */
  permitsMutation(partitionCount: number, strictSince: number): boolean {
    return this.throttle?.permitMutation(partitionCount, this.apiVersion >= strictSince) ?? true
  }

  /** Runs work that follows a wait of the handler: what it takes counts as time for this request, as what came before the wait. */
  timed<T>(work: () => T): T {
    return this.throttle === null ? work() : this.throttle.timed(work)
  }

  /** Everything that the client may do to a resource, as the bit field that answers carry. */
  allowedOperations(resourceType: ResourceType, resourceName: string): number {
    return operationsOf(resourceType, (operation) =>
      this.allowsQuietly(operation, resourceType, resourceName),
    )
  }
}
