package identity

import (
	"errors"
	"net/netip"
	"testing"
)

func TestKeyIsUsedFromItsNetworksAlone(t *testing.T) {
	var networks []netip.Prefix
	for _, text := range []string{"10.1.2.3", "192.168.7.9/16", "2001:db8::/32", "::ffff:172.16.0.1"} {
		network, err := ParseNetwork(text)
		if err != nil {
			t.Fatal(err)
		}
		networks = append(networks, network)
	}
	key := &Key{Networks: networks}
	for client, admitted := range map[string]bool{
		"10.1.2.3": true, "10.1.2.4": false, "192.168.0.1": true, "192.169.0.1": false, "::ffff:10.1.2.3": true, "172.16.0.1": true,
		"2001:db8:1::1": true, "2001:db9::1": false, "": false, "10.1.2.3, 1.1.1.1": false, "unix": false,
	} {
		err := key.CheckAddress(client)
		var refused *Error
		if (err == nil) != admitted || !admitted && (!errors.As(err, &refused) || refused.Reason != Elsewhere) {
			t.Errorf("%q: %v", client, err)
		}
		if err := (&Key{}).CheckAddress(client); err != nil {
			t.Errorf("%q at a key for everywhere: %v", client, err)
		}
	}
	for _, text := range []string{"", "10.0.0.0/33", "ten", "fe80::1%eth0", "10.0.0", "::ffff:10.0.0.0/104"} {
		if network, err := ParseNetwork(text); err == nil {
			t.Errorf("%q is %v", text, network)
		}
	}
}
