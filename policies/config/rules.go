package config

import (
	"errors"
	"fmt"
	"sync"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

// validator holds the compiled rules of the schema.
var validator = sync.OnceValues(func() (protovalidate.Validator, error) {
	return protovalidate.New(protovalidate.WithMessages(&configpb.Config{}))
})

// checkRules reports where the configuration breaks the rules of the schema.
func checkRules(r *report, config *configpb.Config) {
	rules, err := validator()
	if err != nil {
		panic(err) // the rules are compiled into the binary, and tested
	}
	var broken *protovalidate.ValidationError
	if err := rules.Validate(config); errors.As(err, &broken) {
		for _, violation := range broken.Violations {
			r.fail(pathOf(violation.Proto.GetField()), "%s", ruleText(violation))
		}
	} else if err != nil {
		r.fail(nil, "the schema's rules could not be checked: %v", err)
	}
}

func pathOf(field *validate.FieldPath) path {
	var at path
	for _, element := range field.GetElements() {
		at = at.field(protoreflect.Name(element.GetFieldName()))
		switch subscript := element.GetSubscript().(type) {
		case *validate.FieldPathElement_Index:
			at = at.item(int(subscript.Index))
		case *validate.FieldPathElement_StringKey:
			at = at.key(subscript.StringKey)
		}
	}
	return at
}

// ruleText says what would be right: in the schema's words if it has any for
// the field, else in the rule's. It never quotes text, which may be a secret.
func ruleText(violation *protovalidate.Violation) string {
	if form := formOf(violation.FieldDescriptor); form != "" {
		return "must be " + form
	}
	if violation.RuleDescriptor == nil {
		return violation.Proto.GetMessage()
	}
	switch violation.RuleDescriptor.Name() {
	case "in":
		list := violation.RuleValue.List()
		var names []string
		for i := range list.Len() {
			if name := list.Get(i).String(); name != "" {
				names = append(names, name)
			}
		}
		written := violation.FieldValue.String()
		return fmt.Sprintf("must be %s, not %q", enumerate(names, "or"), written)
	case "min_len":
		return "must not be empty"
	default:
		return violation.Proto.GetMessage()
	}
}

// formOf returns the schema's words for what the field looks like.
func formOf(field protoreflect.FieldDescriptor) string {
	if field == nil {
		return ""
	}
	form, _ := proto.GetExtension(field.Options(), configpb.E_Form).(string)
	return form
}

// fieldOf finds a field of the schema by its name.
func fieldOf(message proto.Message, name protoreflect.Name) protoreflect.FieldDescriptor {
	return message.ProtoReflect().Descriptor().Fields().ByName(name)
}
