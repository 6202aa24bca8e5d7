import { hostAddress } from './host-address'

describe('hostAddress', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['::1', '0:0:0:0:0:0:0:1'],
    ['::', '0:0:0:0:0:0:0:0'],
    ['fe80::1:0a0b%eth0', 'fe80:0:0:0:0:0:1:a0b%eth0'],
    ['2001:DB8:0:0:1::5', '2001:db8:0:0:1:0:0:5'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0:0:0:c000:201'],
    ['unknown', 'unknown'],
  ])('writes %s as Kafka does', (address, expected) => {
    expect(hostAddress(address)).toBe(expected)
  })
})
