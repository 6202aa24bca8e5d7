export {
  boolean,
  className,
  double,
  int,
  list,
  long,
  oneOf,
  Password,
  password,
  short,
  string,
  type ConfigDefinition,
  type ConfigKey,
  type ConfigOf,
  type ConfigScope,
  type ConfigType,
  type Importance,
  type KeyOptions,
} from './definition'
export {
  formatProblems,
  parseConfig,
  type ConfigProblem,
  type ParsedConfig,
  type Properties,
} from './parse'
export { parsePropertiesFile } from './properties-file'
