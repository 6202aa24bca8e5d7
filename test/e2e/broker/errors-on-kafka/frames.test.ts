import { compareArea } from './area'
import { frameScenarios } from './frame-cases'

compareArea('frames', frameScenarios)
