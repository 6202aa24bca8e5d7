import type { Clock } from '@millrace/base'
import type { Controller, MetadataImage } from '@millrace/controller'
import type { GroupCoordinator, TxnCoordinator } from '@millrace/coordinator'
import type { Quotas } from '@millrace/quota'
import type { LogManager } from '@millrace/log'
import type { FetchSessions, ReplicaManager } from '@millrace/replication'
import type { Authorizer } from '@millrace/security'
import type { Logger } from '@millrace/telemetry'
import type { ClientTelemetry } from './client-telemetry'
import type { BrokerConfig } from './config'
import type { DynamicConfig } from './configs/dynamic-config'
import type { ProducerIdBlock } from './producer-id-block'
import type { TopicCreation } from './topic-creation'
import type { LocalMarkers } from './transactions/local-markers'
import type { TxnVerifier } from './transactions/txn-verifier'

export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** What the handlers work with. */
export interface BrokerServices {
  readonly nodeId: number
  /** As it is in force now: ask again after a wait. */
  readonly config: BrokerConfig
  readonly dynamicConfig: DynamicConfig
  readonly clock: Clock
  readonly logger: Logger
  readonly controller: Controller
  readonly logs: LogManager
  readonly replicas: ReplicaManager
  readonly fetchSessions: FetchSessions
  readonly groups: GroupCoordinator
  readonly transactions: TxnCoordinator
  readonly txnVerifier: TxnVerifier
  readonly markers: LocalMarkers
  readonly topics: TopicCreation
  readonly clientTelemetry: ClientTelemetry
  readonly producerIds: ProducerIdBlock
  readonly authorizer: Authorizer
  readonly quotas: Quotas
  /** The current metadata: an immutable snapshot. */
  metadata(): MetadataImage
  /** Where clients of a listener find a broker; null if it is not alive. */
  endpointOf(brokerId: number, listenerName: string): Endpoint | null
}
