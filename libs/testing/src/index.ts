export { SimClock } from './sim-clock'
