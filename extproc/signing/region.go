package signing

import "strings"

// AWSRegion finds the region in the name of a host of one of AWS's services, where it
// stands behind the service: "bedrock-runtime.us-east-1.amazonaws.com". It is "" for
// any other host.
func AWSRegion(host string) string {
	for _, domain := range []string{".amazonaws.com", ".amazonaws.com.cn", ".api.aws"} {
		name, found := strings.CutSuffix(host, domain)
		if !found {
			continue
		}
		labels := strings.Split(name, ".")
		for i, label := range labels[:len(labels)-1] {
			if label == "bedrock-runtime" || label == "bedrock-runtime-fips" {
				return labels[i+1]
			}
		}
	}
	return ""
}
