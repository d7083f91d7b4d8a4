package identity

import (
	"fmt"
	"net/netip"
)

// ParseNetwork reads a network such as 10.0.0.0/8, or an address, which is the network
// of it alone. Of a network, the bits after its length do not count.
func ParseNetwork(text string) (netip.Prefix, error) {
	if network, err := netip.ParsePrefix(text); err == nil {
		if network.Addr().Is4In6() {
			return netip.Prefix{}, fmt.Errorf("%q: write IPv4 networks as such", text)
		}
		return network.Masked(), nil
	}
	address, err := netip.ParseAddr(text)
	if err != nil || address.Zone() != "" {
		return netip.Prefix{}, fmt.Errorf("%q is neither an IP address nor a network such as 10.0.0.0/8", text)
	}
	address = address.Unmap()
	return netip.PrefixFrom(address, address.BitLen()), nil
}

// CheckAddress refuses a client whose IP address the key may not be used from, with an
// [*Error]. What is no address is in no network.
func (k *Key) CheckAddress(client string) error {
	if len(k.Networks) == 0 {
		return nil
	}
	address, err := netip.ParseAddr(client)
	if err == nil {
		address = address.Unmap().WithZone("")
		for _, network := range k.Networks {
			if network.Contains(address) {
				return nil
			}
		}
	}
	return &Error{Reason: Elsewhere}
}
