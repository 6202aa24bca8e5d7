import { compareArea } from './area'
import { classicMemberScenarios } from './classic-member-cases'
import { groupScenarios } from './group-cases'

compareArea('groups', [...classicMemberScenarios, ...groupScenarios])
