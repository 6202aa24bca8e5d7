import type { Admin } from '@millrace/client'
import { ConfigurationError } from '@millrace/connect-api'
import type { Properties } from '@millrace/config'
import type { Logger } from '@millrace/telemetry'
import { withPrefix } from '../config/connector-config'
import { aliases } from '../pipeline/build'
import type { TargetTopics } from './source-task'

export interface TopicCreationRule {
  /** Null for the rule that takes what no other takes. */
  readonly include: readonly RegExp[] | null
  readonly exclude: readonly RegExp[]
  readonly partitions: number
  readonly replicationFactor: number
  readonly configs: Readonly<Record<string, string>>
}

const RULE_KEYS = new Set(['include', 'exclude', 'partitions', 'replication.factor'])

/** The rules of `topic.creation.*`, in the order in which they are tried; the default rule is last. */
export function topicCreationRules(properties: Properties): readonly TopicCreationRule[] {
  const groups = aliases(properties['topic.creation.groups'])
  return [...groups, 'default'].map((group) => {
    const own = withPrefix(properties, `topic.creation.${group}.`)
    const configs = Object.entries(own).filter(([key]) => !RULE_KEYS.has(key))
    return {
      include: group === 'default' ? null : aliases(own.include).map(wholeName),
      exclude: aliases(own.exclude).map(wholeName),
      partitions: Number(own.partitions ?? -1),
      replicationFactor: Number(own['replication.factor'] ?? -1),
      configs: Object.fromEntries(configs) as Record<string, string>,
    }
  })
}

export function ruleFor(rules: readonly TopicCreationRule[], topic: string): TopicCreationRule {
  const matches = (patterns: readonly RegExp[]) => patterns.some((pattern) => pattern.test(topic))
  return rules.find(
    ({ include, exclude }) => include === null || (matches(include) && !matches(exclude)),
  )!
}

function wholeName(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`)
}

export interface TopicCreatorDeps {
  readonly admin: Pick<Admin, 'topics' | 'createTopics'>
  readonly logger: Logger
  /** Called once for each topic that the task uses. */
  readonly onTopic: (topic: string) => void
}

/** Makes sure that the topics of a source exist before the first record goes to them, so that none is lost in between. */
export class TopicCreator implements TargetTopics {
  readonly #deps: TopicCreatorDeps
  readonly #rules: readonly TopicCreationRule[]
  readonly #isEnabled: boolean
  readonly #known = new Set<string>()

  constructor(
    deps: TopicCreatorDeps,
    options: { readonly rules: readonly TopicCreationRule[]; readonly isEnabled: boolean },
  ) {
    this.#deps = deps
    this.#rules = options.rules
    this.#isEnabled = options.isEnabled
  }

  isKnown(topic: string): boolean {
    return this.#known.has(topic)
  }

  async ensure(topic: string): Promise<void> {
    if (topic === '') throw new ConfigurationError('a record has an empty topic name')
    if (this.#isEnabled && !(await this.#exists(topic))) await this.#create(topic)
    this.#known.add(topic)
    this.#deps.onTopic(topic)
  }

  async #create(topic: string): Promise<void> {
    const { partitions, replicationFactor, configs } = ruleFor(this.#rules, topic)
    this.#deps.logger.info('creating topic', { topic, partitions, replicationFactor })
    try {
      await this.#deps.admin.createTopics([{ name: topic, partitions, replicationFactor, configs }])
    } catch (error) {
      // Another task may have been faster.
      if (!(await this.#exists(topic))) throw error
    }
  }

  async #exists(topic: string): Promise<boolean> {
    const found = await this.#deps.admin.topics([topic])
    return found.some(({ name, partitions }) => name === topic && partitions.length > 0)
  }
}
