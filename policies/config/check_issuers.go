package config

import (
	"net/url"
	"regexp"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

var keyHash = regexp.MustCompile("^[0-9a-f]{64}$")

// checkIssuers sees to it that each rule gives one thing, which there is.
func (l *loader) checkIssuers(config *configpb.Config) {
	names := map[string]bool{}
	for _, key := range config.GetKeys() {
		names[key.GetName()] = true
	}
	seen := map[string]bool{}
	for i, issuer := range config.GetIdentity().GetIssuers() {
		at := path{".identity", ".issuers"}.item(i)
		address, err := url.Parse(issuer.GetUrl())
		switch {
		case err != nil || address.Hostname() == "" || address.Scheme != "https" && (address.Scheme != "http" || !isLocal(address.Hostname())):
			l.report.fail(at.field("url"), "must be an https URL such as https://login.example.com")
		case seen[issuer.GetUrl()]:
			l.report.fail(at.field("url"), "is there already; put all rules of an issuer under one entry")
		}
		seen[issuer.GetUrl()] = true
		for j, rule := range issuer.GetRules() {
			at := at.field("rules").item(j)
			switch {
			case (rule.GetRole() == "") == (rule.GetKey() == ""):
				l.report.fail(at, "gives one of role and key")
			case rule.GetKey() != "" && !names[rule.GetKey()] && !keyHash.MatchString(rule.GetKey()):
				l.report.fail(at.field("key"), "%q is neither the name of a key under keys nor the hash of a managed one", rule.GetKey())
			}
		}
	}
}
