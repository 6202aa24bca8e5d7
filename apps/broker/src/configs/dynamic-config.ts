import { errorMessage, type PlatformError } from '@millrace/base'
import type { Properties } from '@millrace/config'
import {
  recordKinds,
  type Configs,
  type Controller,
  type MetadataImage,
} from '@millrace/controller'
import type { Logger } from '@millrace/telemetry'
import { parseBrokerConfig, type BrokerConfig } from '../config'
import { certificateProblems } from '../security/certificate-change'
import { findBrokerKey, listenerBaseName, namesOfSetting } from './broker-keys'
import { clusterWideKeys, isDynamic, listenerOnlyKeys, perBrokerKeys } from './dynamic-keys'
import { listenerProblems } from './listener-change'
import { CLUSTER_DEFAULT } from './resources'

/** Where the configs of a broker come from, the strongest first. */
export interface ConfigLayers {
  /** Set by API for this broker. */
  readonly own: Configs
  /** Set by API for all brokers. */
  readonly clusterDefault: Configs
  /** Given at the start. */
  readonly given: Properties
}

export type ConfigListener = (config: BrokerConfig, before: BrokerConfig) => void

const NONE: Configs = Object.freeze({})

/**
 * The broker's config as it is in force: what was given at the start, with what clients have set since laid over it.
 * Whoever needs a changed value without asking for it listens.
 */
export class DynamicConfig {
  readonly #logger: Logger
  readonly #atStart: BrokerConfig
  readonly #listeners: ConfigListener[] = []
  #layers: ConfigLayers
  #current: BrokerConfig

  constructor(deps: { controller: Controller; logger: Logger }, atStart: BrokerConfig) {
    this.#logger = deps.logger
    this.#atStart = atStart
    this.#current = atStart
    this.#layers = { own: NONE, clusterDefault: NONE, given: atStart.given }
    this.#follow(deps.controller.metadata())
    deps.controller.onChange((image) => this.#follow(image))
  }

  /** In force now; a change makes a new object. */
  get current(): BrokerConfig {
    return this.#current
  }

  get layers(): ConfigLayers {
    return this.#layers
  }

  /** Calls `listener` after each change, in the order of the calls to this. */
  onChange(listener: ConfigListener): void {
    this.#listeners.push(listener)
  }

  /** Everything that is wrong with what a client wants for this broker, or for all of them (`isDefault`). */
  problemsOf(configs: Configs, isDefault: boolean): string[] {
    const problems = Object.keys(configs).flatMap((name) =>
      problemsOfKey(name, configs[name], isDefault),
    )
    if (problems.length > 0) return problems
    const { own, clusterDefault, given } = this.#layers
    try {
      const wanted = parseBrokerConfig(
        isDefault ? merge(given, configs, own) : merge(given, clusterDefault, configs),
      )
      return [
        ...listenerProblems(this.#current.listeners, wanted.listeners),
        ...certificateProblems(this.#current, wanted),
      ]
    } catch (error) {
      return [errorMessage(error)]
    }
  }

  #follow(image: MetadataImage): void {
    const records = image.records(recordKinds.configs)
    const own = records.get(CLUSTER_DEFAULT + this.#atStart.values.nodeId) ?? NONE
    const clusterDefault = records.get(CLUSTER_DEFAULT) ?? NONE
    if (own === this.#layers.own && clusterDefault === this.#layers.clusterDefault) return
    const { given } = this.#layers
    this.#layers = { own, clusterDefault, given }
    const before = this.#current
    try {
      this.#current = parseBrokerConfig(
        merge(given, usable(clusterDefault, true), usable(own, false)),
      )
    } catch (error) {
      // It was checked when it was set: only a start with another file, or another version, can get here.
      const { code } = error as PlatformError
      this.#logger.error('dynamic configs do not fit the rest and are not in force', {
        code,
        error,
      })
      return
    }
    for (const listener of this.#listeners) listener(this.#current, before)
  }
}

/** One layer over the other. A key takes the others of its setting away: hours set now beat milliseconds set before. */
export function merge(...layers: readonly Properties[]): Record<string, string | null | undefined> {
  const merged: Record<string, string | null | undefined> = {}
  for (const layer of layers) {
    const names = new Set(Object.keys(layer))
    for (const name of names)
      for (const other of namesOfSetting(name)) if (!names.has(other)) delete merged[other]
    Object.assign(merged, layer)
  }
  return merged
}

function usable(configs: Configs, isDefault: boolean): Configs {
  const entries = Object.entries(configs)
  return Object.fromEntries(
    entries.filter(([name, value]) => problemsOfKey(name, value, isDefault).length === 0),
  )
}

/** Unknown keys are taken, as Kafka takes them: they may be of a plugin. */
function problemsOfKey(name: string, value: string, isDefault: boolean): string[] {
  const base = listenerBaseName(name)
  const key = findBrokerKey(name)
  const problems: string[] = []
  const isFixed = key !== undefined && !isDynamic(name)
  if (base === null && isFixed) problems.push(`${name} cannot be changed while the broker runs`)
  else if (base === null && listenerOnlyKeys.has(name))
    problems.push(`${name} can be changed for one listener only: listener.name.NAME.${name}`)
  if (isDefault && (perBrokerKeys.has(name) || (base !== null && !clusterWideKeys.has(base))))
    problems.push(`${name} cannot be set for all brokers: name one`)
  try {
    key?.parse(value)
  } catch (error) {
    const shown = key?.type === 'PASSWORD' ? '[hidden]' : value
    problems.push(`${name}=${shown} is not valid: expected ${errorMessage(error)}`)
  }
  return problems
}
