import { ApiKey, ZERO_UUID } from '@millrace/wire'
import { NOBODY } from './produce-cases'
import type { RequestOf, Scenario, Script, Topic } from './script'

type Named = NonNullable<RequestOf<typeof ApiKey.Metadata>['topics']>

/** Topics as a request may name them; names alone are all that older versions have. */
const byName: Record<string, (topic: Topic) => Named> = {
  'a topic': ({ name }) => [{ name }],
  'a topic that there is not': () => [{ name: NOBODY.name }],
  'a topic beside one that there is not': ({ name }) => [{ name }, { name: NOBODY.name }],
  'an impossible topic': () => [{ name: 'no/body' }],
  'a topic without name': () => [{ name: '' }],
  'a topic with too long a name': () => [{ name: 'x'.repeat(250) }],
  'a topic of dots': () => [{ name: '..' }],
  'a topic twice': ({ name }) => [{ name }, { name }],
  'no topics': () => [],
}

const byId: Record<string, (topic: Topic) => Named> = {
  'an id': ({ id }) => [{ name: null, topicId: id }],
  'an id that there is not': () => [{ name: null, topicId: NOBODY.id }],
  'an id beside a name': ({ name, id }) => [{ name: null, topicId: id }, { name }],
  'an id and a name': ({ name, id }) => [{ name, topicId: id }],
  'neither id nor name': () => [{ name: null, topicId: ZERO_UUID }],
}

const asked =
  (
    topicsOf: (topic: Topic) => Named,
    versions: readonly number[],
    allowAutoTopicCreation: boolean,
  ) =>
  async (on: Script) => {
    const topics = topicsOf(await on.topic())
    for (const version of versions)
      await on.ask(
        ApiKey.Metadata,
        version,
        { topics, allowAutoTopicCreation },
        ({ topics: told, brokers, controllerId, errorCode }) => ({
          errorCode,
          controllerId,
          brokerCount: brokers.length,
          topics: told,
        }),
      )
  }

export const metadataScenarios: Scenario[] = [
  ...Object.entries(byName).flatMap(([title, topicsOf]) =>
    [true, false].map((isAllowed) => ({
      title: isAllowed ? `${title}, to be created` : title,
      run: asked(topicsOf, [1, 4, 8, 9, 10, 12, 13], isAllowed),
    })),
  ),
  ...Object.entries(byId).map(([title, topicsOf]) => ({
    title,
    run: asked(topicsOf, [10, 11, 12, 13], true),
  })),
]
