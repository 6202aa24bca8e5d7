import { compareArea } from './area'
import { fetchScenarios } from './fetch-cases'

const NO_FOLLOWERS =
  'nobody follows a partition here: who tries is told where the leader is, as consumers are'

compareArea('fetch', fetchScenarios, {
  ourWay: {
    'bytes for one batch and a half': 'whole batches only: a part of one is of no use to anybody',
    'a follower': NO_FOLLOWERS,
    'a follower that there is not': NO_FOLLOWERS,
  },
})
