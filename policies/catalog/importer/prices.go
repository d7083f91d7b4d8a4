package importer

import (
	"errors"
	"math/big"
	"regexp"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/switchyard/switchyard/policies/config/configpb"
)

var (
	errPrice  = errors.New("no price: want a decimal number of at least zero")
	errMarket = errors.New("the market sets the price of each request")
)

// decimal bounds a price before it is read: a number of a few characters such as
// 1e999999999 would fill the memory.
var decimal = regexp.MustCompile(`^[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?$`)

// tokens and units are how prices are counted: US dollars for a million tokens,
// or for one request, image, second or search. digits is how fine the schema and the
// arithmetic of money can say them.
var (
	tokens = scale{factor: big.NewRat(1_000_000, 1), digits: 6}
	units  = scale{factor: big.NewRat(1, 1), digits: 9}
)

type scale struct {
	factor *big.Rat
	digits int
}

// price turns the text of a number, US dollars for one token or unit, into a
// decimal of the schema. It never passes through a float. Rounded says that the
// number was finer than the schema can say, as the noise of a float is.
func (s scale) price(number string) (price string, rounded bool, err error) {
	if number == "-1" {
		return "", false, errMarket
	}
	if !decimal.MatchString(number) {
		return "", false, errPrice
	}
	amount, ok := new(big.Rat).SetString(number)
	if !ok {
		return "", false, errPrice
	}
	amount.Mul(amount, s.factor)
	price = amount.FloatString(s.digits)
	if whole, _, _ := strings.Cut(price, "."); len(whole) > 9 {
		return "", false, errPrice
	}
	again, _ := new(big.Rat).SetString(price)
	return strings.TrimSuffix(strings.TrimRight(price, "0"), "."), again.Cmp(amount) != 0, nil
}

// scales are how the classes of prices are counted, by their field in the schema.
var scales = map[string]scale{
	"prompt": tokens, "completion": tokens, "cache_read": tokens, "cache_write": tokens, "cache_write_1h": tokens,
	"reasoning": tokens, "audio": tokens, "audio_output": tokens, "image_output": tokens,
	"image_token": tokens, "character": tokens, "second": units, "generated_image": units,
	"request": units, "image": units, "web_search": units,
}

// setPrice sets the price of a class, by its field in the schema, to a number of
// US dollars for one token or unit. The results are those of [scale.price].
func setPrice(p *configpb.Prices, class, number string) (rounded bool, err error) {
	price, rounded, err := scales[class].price(number)
	if err != nil {
		return false, err
	}
	putPrice(p, class, price)
	return rounded, nil
}

// putPrice and getPrice take a class by its field in the schema.

func putPrice(p *configpb.Prices, class, price string) {
	message := p.ProtoReflect()
	message.Set(message.Descriptor().Fields().ByName(protoreflect.Name(class)), protoreflect.ValueOfString(price))
}

func getPrice(p *configpb.Prices, class string) string {
	message := p.ProtoReflect()
	return message.Get(message.Descriptor().Fields().ByName(protoreflect.Name(class))).String()
}

// cheaper compares two decimals of the schema. What is not stated is no cheaper and
// no dearer.
func cheaper(price, than string) bool {
	a, stated := new(big.Rat).SetString(price)
	b, alsoStated := new(big.Rat).SetString(than)
	return stated && alsoStated && a.Cmp(b) < 0
}
