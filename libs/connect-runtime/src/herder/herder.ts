import type { SourcePosition } from '@millrace/connect-api'
import type { Properties } from '@millrace/config'
import type { Validation } from '../config/validate'
import type { TargetState } from './config-state'
import type { ConnectorState } from './status-store'

export type ConnectorType = 'source' | 'sink' | 'unknown'

/** The bodies of Connect's REST answers. */
export interface ConnectorInfo {
  readonly name: string
  readonly config: Properties
  readonly tasks: readonly { readonly connector: string; readonly task: number }[]
  readonly type: ConnectorType
}
export interface StateInfo {
  readonly state: ConnectorState
  readonly worker_id: string
  /** Why it failed, or why it is trying again. Absent if all is well. */
  readonly trace?: string
  readonly version?: string
}
export interface TaskStateInfo extends StateInfo {
  readonly id: number
}
export interface ConnectorStateInfo {
  readonly name: string
  readonly connector: StateInfo
  readonly tasks: readonly TaskStateInfo[]
  readonly type: ConnectorType
}
export interface TaskInfo {
  readonly id: { readonly connector: string; readonly task: number }
  readonly config: Properties
}
export interface ConnectorOffsets {
  readonly offsets: readonly {
    readonly partition: SourcePosition
    readonly offset: SourcePosition
  }[]
}
export interface Health {
  readonly status: 'starting' | 'healthy' | 'unhealthy'
  readonly message: string
}
export interface RestartOptions {
  readonly includeTasks: boolean
  readonly onlyFailed: boolean
}

export type { TargetState, Validation }
