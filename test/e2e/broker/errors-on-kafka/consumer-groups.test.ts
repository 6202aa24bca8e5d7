import { compareArea } from './area'
import { consumerGroupScenarios } from './consumer-group-cases'

compareArea('consumer-groups', consumerGroupScenarios, {
  ourWay: {
    'an older member comes to a newer group with metadata that nobody can read':
      'Kafka has no words for it: UNKNOWN_SERVER_ERROR, which tells the member less than INCONSISTENT_GROUP_PROTOCOL',
  },
})
