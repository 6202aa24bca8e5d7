import { compareArea } from './area'
import { offsetsScenarios } from './offsets-cases'

compareArea('offsets', offsetsScenarios)
