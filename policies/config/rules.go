package config

import (
	"errors"
	"strconv"
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
			at, field := pathOf(violation.Proto.GetField())
			if text := ruleText(violation, field); violation.Proto.GetForKey() {
				r.failKey(at, "%s", text)
			} else {
				r.fail(at, "%s", text)
			}
		}
	} else if err != nil {
		r.fail(nil, "the schema's rules could not be checked: %v", err)
	}
}

// pathOf returns where a rule is broken, and the schema's field that is, which
// for a key or value of a map is the map.
func pathOf(broken *validate.FieldPath) (path, protoreflect.FieldDescriptor) {
	var at path
	var field protoreflect.FieldDescriptor
	message := (*configpb.Config)(nil).ProtoReflect().Descriptor()
	for _, element := range broken.GetElements() {
		field = message.Fields().ByName(protoreflect.Name(element.GetFieldName()))
		at = at.field(field.Name())
		switch subscript := element.GetSubscript().(type) {
		case *validate.FieldPathElement_Index:
			at = at.item(int(subscript.Index))
		case *validate.FieldPathElement_StringKey:
			at = at.key(subscript.StringKey)
		}
		if message = field.Message(); field.IsMap() {
			message = field.MapValue().Message()
		}
	}
	return at, field
}

// ruleText says what would be right: in the schema's words if it has any for
// the field, else in the rule's. It never quotes text, which may be a secret,
// unless one of a few words was asked for.
func ruleText(violation *protovalidate.Violation, field protoreflect.FieldDescriptor) string {
	if form := formOf(field); form != "" {
		text := "must be " + form
		if field.Kind() != protoreflect.EnumKind {
			text += foundText(violation.FieldValue.String())
		}
		return text
	}
	rules, _ := proto.GetExtension(field.Options(), validate.E_Field).(*validate.FieldRules)
	switch rule := violation.RuleDescriptor.Name(); {
	case rule == "in":
		list := violation.RuleValue.List()
		var names []string
		for i := range list.Len() {
			if name := list.Get(i).String(); name != "" {
				names = append(names, name)
			}
		}
		return "must be " + oneOf(names, violation.FieldValue.String())
	case rule == "min_len":
		return "must not be empty"
	case rule == "unique":
		return "must not list anything twice"
	case rules.GetDuration().HasLte():
		return "must be from " + durationText(rules.GetDuration().GetGte()) + " to " + durationText(rules.GetDuration().GetLte())
	default:
		return violation.Proto.GetMessage()
	}
}

// foundText tells a number that is there instead. Other text may be a secret.
func foundText(text string) string {
	const longest = 40
	if _, err := strconv.ParseFloat(text, 64); err != nil || len(text) > longest {
		return ""
	}
	return " (found " + text + ")"
}

// formOf returns the schema's words for what the field looks like.
func formOf(field protoreflect.FieldDescriptor) string {
	form, _ := proto.GetExtension(field.Options(), configpb.E_Form).(string)
	return form
}

// fieldOf finds a field of the schema by its name.
func fieldOf(message proto.Message, name protoreflect.Name) protoreflect.FieldDescriptor {
	return message.ProtoReflect().Descriptor().Fields().ByName(name)
}
