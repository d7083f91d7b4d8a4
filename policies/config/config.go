// Package config reads the gateway's configuration: YAML in, one immutable
// [Effective] out, or every problem at once with its file, line, column and
// field.
//
// What may be written is said by the proto schema in configpb, and by the
// checks between fields in check.go and its neighbours. Read the rest in the order in which a
// configuration passes through it: yaml.go (text to nodes), decode.go and anything.go
// (nodes to messages), environment.go, catalogs.go and preset.go (what need not
// be written), rules.go
// and check.go (what is wrong), defaults.go, secret.go. [Store] holds the
// configuration of a running gateway, and reloads it.
package config

import (
	"log/slog"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/proto"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// Options is the world around a configuration. The zero value is the process's
// own environment and files.
type Options struct {
	// LookupEnv finds an environment variable. Default: os.LookupEnv.
	LookupEnv func(string) (string, bool)
	// ReadFile reads a file. Default: os.ReadFile.
	ReadFile func(string) ([]byte, error)
	// Overrides wins over what the file says, field by field, as flags of the
	// command line do. Lists and providers are added to the file's.
	Overrides *configpb.Config
	// Fallback gives the providers and models if neither the file nor the
	// environment gives a provider. [Effective.IsFallback] tells.
	Fallback *configpb.Config
	// Logger tells of reloads. Default: slog.Default().
	Logger *slog.Logger
}

// Load reads the configuration file, or the environment alone if the path is
// empty. The error is of type [Problems], and names everything that is wrong.
func Load(path string, options Options) (*Effective, error) {
	if path == "" {
		return newLoader("environment", ".", options).resolve(&configpb.Config{})
	}
	l := newLoader(path, filepath.Dir(path), options)
	data, err := l.options.ReadFile(path)
	if err != nil {
		return nil, Problems{{File: path, Text: "cannot be read: " + err.Error()}}
	}
	return l.parse(data)
}

// Parse reads a configuration from memory. The name is used in messages, and
// its directory for the files that the configuration names. The error is of
// type [Problems].
func Parse(name string, data []byte, options Options) (*Effective, error) {
	return newLoader(name, filepath.Dir(name), options).parse(data)
}

// loader is one configuration on its way in.
type loader struct {
	report    *report
	options   Options
	directory string
	// files holds what was read besides the configuration, by path.
	files map[string][]byte
	// known is what need not be written: the presets, under the catalog files.
	known *configpb.Config
	// catalogs are the catalog files alone, in their order.
	catalogs []*configpb.Config
}

func newLoader(name, directory string, options Options) *loader {
	if options.LookupEnv == nil {
		options.LookupEnv = os.LookupEnv
	}
	if options.ReadFile == nil {
		options.ReadFile = os.ReadFile
	}
	if absolute, err := filepath.Abs(directory); err == nil {
		directory = absolute
	}
	return &loader{report: newReport(name), options: options, directory: directory, files: map[string][]byte{}}
}

func (l *loader) parse(data []byte) (*Effective, error) {
	config := &configpb.Config{}
	decode(l.report, data, configurationBounds, config)
	return l.resolve(config)
}

// resolve makes what was written effective. It goes on after a problem, to find
// the others.
func (l *loader) resolve(config *configpb.Config) (*Effective, error) {
	proto.Merge(config, l.options.Overrides)
	fallback := l.addProviders(config)
	l.absolutePaths(config)
	var ok bool
	if l.known, ok = l.readCatalogs(config); !ok {
		return nil, l.report.sorted() // most of what followed would be wrong about the catalog
	}
	serving := l.applyPresets(config)
	l.checkModels(config)
	l.warnIdleCatalogs(config, serving)
	checkRules(l.report, config)
	fillDefaults(config)
	l.check(config)
	secrets := l.resolveSecrets(config)
	own := l.resolveOwnSecrets(config)
	if len(l.report.problems) > 0 {
		return nil, l.report.sorted()
	}
	l.report.warnings.sort()
	return newEffective(config, secrets, own, l, fallback), nil
}

// addProviders takes the providers from the environment, else from the
// fallback, if the configuration names none. It reports whether it was the
// fallback.
func (l *loader) addProviders(config *configpb.Config) bool {
	if len(config.GetProviders()) > 0 || l.report.isFaulty(path{".providers"}) {
		return false
	}
	config.Providers = FromEnvironment(l.options.LookupEnv).GetProviders()
	if len(config.Providers) > 0 || l.options.Fallback == nil {
		return false
	}
	proto.Merge(config, &configpb.Config{
		Providers: l.options.Fallback.GetProviders(),
		Models:    l.options.Fallback.GetModels(),
	})
	return true
}

// absolutePaths takes the files that the configuration names as relative to it,
// not to where the gateway or Envoy happens to be started.
func (l *loader) absolutePaths(config *configpb.Config) {
	resolve := func(name *string) {
		if *name != "" && !filepath.IsAbs(*name) {
			*name = filepath.Join(l.directory, *name)
		}
	}
	resolveSecret := func(secret *configpb.Secret) {
		if file, ok := secret.GetSource().(*configpb.Secret_File); ok {
			resolve(&file.File)
		}
	}
	for i := range config.GetCatalogFiles() {
		resolve(&config.CatalogFiles[i])
	}
	resolveSecret(config.GetRedis().GetPassword())
	resolveSecret(config.GetLedger().GetPostgres())
	resolveSecret(config.GetIdentity().GetSecret())
	resolveSecret(config.GetByok().GetEncryptionKey())
	resolveSecret(config.GetByok().GetPreviousEncryptionKey())
	if tls := config.GetListener().GetTls(); tls != nil {
		resolve(&tls.CertificateFile)
		resolve(&tls.PrivateKeyFile)
	}
	for _, provider := range config.GetProviders() {
		resolve(&provider.CaFile)
		resolveSecret(provider.GetCredential())
	}
}

// lookup returns an environment variable, or nothing.
func (l *loader) lookup(name string) string {
	value, _ := l.options.LookupEnv(name)
	return value
}

// readNamed reads a file that the configuration names in the given field, and
// reports if it cannot. An empty name is no file. A file that is named twice is read
// once: what was checked is what is used.
func (l *loader) readNamed(name string, at path) ([]byte, bool) {
	if name == "" || l.report.isFaulty(at) {
		return nil, false
	}
	if data, read := l.files[name]; read {
		return data, true
	}
	data, err := l.options.ReadFile(name)
	if err != nil {
		l.report.fail(at, "cannot be read: %v", err)
		return nil, false
	}
	l.files[name] = data
	return data, true
}
