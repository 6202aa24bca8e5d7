import { compareArea } from './area'
import { metadataScenarios } from './metadata-cases'

compareArea('metadata', metadataScenarios)
