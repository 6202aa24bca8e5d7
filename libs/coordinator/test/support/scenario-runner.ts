import { ErrorCode, errorName } from '@millrace/wire'
import type { GroupCoordinator } from '../../src/group-coordinator'
import { aGroupWorld, type GroupWorld } from './group-world'

const GROUP = 'group'
const DEFAULT_VERSION = 9

type Arguments = Record<string, string | undefined>

interface Client {
  memberId: string
  generationId: number
  protocolType: string
}

/**
 * Plays the commands of a scenario against a coordinator. The output of a command is every answer that arrived since
 * the last one, and then the group. Member ids are shown as `name#n`: the n-th id of that client, or of that instance.
 */
export class ScenarioRunner {
  #world: GroupWorld
  readonly #clients = new Map<string, Client>()
  readonly #aliases = new Map<string, string>()
  readonly #idCounts = new Map<string, number>()
  #output: string[] = []

  private constructor(world: GroupWorld) {
    this.#world = world
  }

  static async open(options: Arguments): Promise<ScenarioRunner> {
    return new ScenarioRunner(await aGroupWorld(options as Record<string, string>))
  }

  /** Runs one line and returns what it showed. */
  async run(line: string): Promise<string> {
    const [command, ...words] = line.split(' ').filter((word) => word !== '')
    const subject = words[0] && !words[0].includes('=') ? words.shift()! : ''
    const options: Arguments = Object.fromEntries(words.map((word) => splitOnce(word, '=')))
    this.#output = []
    await this.#dispatch(command, subject, options)
    await this.#world.clock.advance(0)
    await this.#world.clock.advance(0)
    return [...this.#output, this.#describe()].join('\n')
  }

  async #dispatch(command: string, subject: string, options: Arguments): Promise<void> {
    switch (command) {
      case 'join':
        return this.#join(subject, options)
      case 'sync':
        return this.#sync(subject, options)
      case 'heartbeat':
        return this.#heartbeat(subject, options)
      case 'leave':
        return this.#leave(subject, options)
      case 'commit':
        return this.#commit(subject, options)
      case 'fetch':
        return this.#fetch()
      case 'wait':
        return this.#world.clock.advance(Number(subject))
      case 'restart':
        this.#world = await this.#world.restart()
        return
      case 'log':
        return this.#setLog(options)
      default:
        throw new Error(`unknown command: ${command}`)
    }
  }

  /** `fails=CODE` until the next `log`, `stalls=MS` for so long. */
  #setLog({ fails, stalls }: Arguments): void {
    const { clock, log } = this.#world
    log.failure = ErrorCode[fails as keyof typeof ErrorCode] ?? 0
    log.gate = stalls === undefined ? null : clock.sleep(Number(stalls))
  }

  #join(name: string, options: Arguments): void {
    const client = this.#client(name)
    const offered = (options.protocols ?? 'range').split(',').filter((text) => text !== '')
    const protocols = offered.map((text) => {
      const [protocol, metadata] = splitOnce(text, ':')
      return { name: protocol, metadata: Buffer.from(metadata ?? name) }
    })
    const request = {
      groupId: GROUP,
      memberId: this.#memberId(client, options),
      groupInstanceId: options.instance ?? null,
      sessionTimeoutMs: Number(options.session ?? 10_000),
      rebalanceTimeoutMs: Number(options.rebalance ?? 60_000),
      protocolType: options.type ?? 'consumer',
      protocols,
      reason: null,
    }
    const apiVersion = Number(options.version ?? DEFAULT_VERSION)
    const meta = { clientId: name, clientHost: '/127.0.0.1', apiVersion }
    void this.#coordinator.joinGroup(request, meta).then((response) => {
      const { errorCode, generationId = -1, memberId } = response
      if (errorCode === ErrorCode.NONE || errorCode === ErrorCode.MEMBER_ID_REQUIRED) {
        client.memberId = memberId
        client.generationId = generationId
      }
      const members = (response.members ?? []).map((member) => this.#alias(member.memberId))
      this.#say(
        `${name} joined: ${errorName(errorCode)}`,
        memberId !== '' && `member=${this.#alias(memberId)}`,
        errorCode === ErrorCode.NONE &&
          `generation=${generationId} protocol=${response.protocolName} leader=${this.#alias(response.leader)}`,
        members.length > 0 && `members=${members.join(',')}`,
        response.skipAssignment && 'skipAssignment',
      )
    })
  }

  #sync(name: string, options: Arguments): void {
    const client = this.#client(name)
    const assignments = (options.assign ?? '')
      .split(',')
      .filter((text) => text !== '')
      .map((text) => {
        const [member, assignment] = splitOnce(text, ':')
        return { memberId: this.#client(member).memberId, assignment: Buffer.from(assignment!) }
      })
    const request = {
      groupId: GROUP,
      generationId: Number(options.generation ?? client.generationId),
      memberId: this.#memberId(client, options),
      groupInstanceId: options.instance ?? null,
      protocolType: options.type ?? null,
      protocolName: options.protocol ?? null,
      assignments,
    }
    void this.#coordinator.syncGroup(request).then(({ errorCode, assignment }) => {
      const text = assignment.toString()
      this.#say(`${name} synced: ${errorName(errorCode)}`, text !== '' && `assignment=${text}`)
    })
  }

  #heartbeat(name: string, options: Arguments): void {
    const client = this.#client(name)
    const { errorCode } = this.#coordinator.heartbeat({
      groupId: GROUP,
      generationId: Number(options.generation ?? client.generationId),
      memberId: this.#memberId(client, options),
      groupInstanceId: options.instance ?? null,
    })
    this.#say(`${name} heartbeat: ${errorName(errorCode)}`)
  }

  #leave(name: string, options: Arguments): void {
    const names = name.split(',')
    const members = names.map((one) => ({
      memberId: this.#memberId(this.#client(one), options),
      groupInstanceId: options.instance ?? null,
      reason: null,
    }))
    const memberId = members[0].memberId
    const apiVersion = Number(options.version ?? 5)
    const request = { groupId: GROUP, memberId, members }
    void this.#coordinator.leaveGroup(request, { apiVersion }).then((response) => {
      const errors = response.members?.length
        ? response.members.map((member) => member.errorCode)
        : [response.errorCode]
      errors.forEach((error, index) => this.#say(`${names[index]} left: ${errorName(error ?? 0)}`))
    })
    for (const one of names) this.#client(one).memberId = ''
  }

  #commit(name: string, options: Arguments): void {
    const client = this.#client(name)
    const request = {
      groupId: GROUP,
      generationIdOrMemberEpoch: Number(options.generation ?? client.generationId),
      memberId: this.#memberId(client, options),
      groupInstanceId: options.instance ?? null,
      retentionTimeMs: Number(options.retention ?? -1),
      topics: [
        {
          name: 't',
          topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
          partitions: [
            {
              partitionIndex: 0,
              committedOffset: Number(options.offset),
              committedLeaderEpoch: -1,
              committedMetadata: options.metadata ?? null,
            },
          ],
        },
      ],
    }
    const apiVersion = Number(options.version ?? DEFAULT_VERSION)
    void this.#coordinator.offsetCommit(request, { apiVersion }).then(({ topics }) => {
      this.#say(`${name} committed: ${errorName(topics[0].partitions[0].errorCode)}`)
    })
  }

  #fetch(): void {
    const groups = [{ groupId: GROUP, memberId: null, memberEpoch: -1, topics: null }]
    const request = { groupId: '', topics: [], groups, requireStable: false }
    const response = this.#coordinator.offsetFetch(request, { apiVersion: 8 })
    const { errorCode = 0, topics = [] } = response.groups![0]
    const texts = topics.flatMap((topic) =>
      topic.partitions!.map((p) => `${topic.name}-${p.partitionIndex}=${p.committedOffset}`),
    )
    this.#say(`fetched: ${errorName(errorCode)}`, ...texts)
  }

  #describe(): string {
    const request = { groups: [GROUP], includeAuthorizedOperations: false }
    const { groups } = this.#coordinator.describeGroups(request, { apiVersion: 6 })
    const { groupState, protocolData, members, errorCode } = groups[0]
    if (errorCode !== 0) return `= ${errorName(errorCode)}`
    const shown = members.map(({ memberId, memberAssignment }) => {
      const assignment = memberAssignment.toString()
      return this.#alias(memberId) + (assignment === '' ? '' : `:${assignment}`)
    })
    return ['=', groupState, protocolData, ...shown].filter((text) => text !== '').join(' ')
  }

  get #coordinator(): GroupCoordinator {
    return this.#world.coordinator
  }

  #client(name: string): Client {
    let client = this.#clients.get(name)
    if (!client) {
      client = { memberId: '', generationId: -1, protocolType: 'consumer' }
      this.#clients.set(name, client)
    }
    return client
  }

  /** `member=none` stands for no id, `member=B` for the id of another client, `member=A#1` for an older one. */
  #memberId(client: Client, { member }: Arguments): string {
    if (member === undefined) return client.memberId
    if (member === 'none') return ''
    for (const [id, alias] of this.#aliases) if (alias === member) return id
    return this.#clients.get(member)?.memberId ?? member
  }

  #alias(memberId: string): string {
    if (memberId === '') return '-'
    let alias = this.#aliases.get(memberId)
    if (alias === undefined) {
      const owner = memberId.slice(0, memberId.indexOf('-'))
      const count = (this.#idCounts.get(owner) ?? 0) + 1
      this.#idCounts.set(owner, count)
      alias = `${owner}#${count}`
      this.#aliases.set(memberId, alias)
    }
    return alias
  }

  #say(...parts: (string | false | undefined)[]): void {
    this.#output.push(parts.filter((part) => part).join(' '))
  }
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator)
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}
