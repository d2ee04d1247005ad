package traffic

import (
	"math/rand/v2"
	"strconv"
	"strings"
)

// topic is what a conversation is about: what consumers ask, what they add, and what agents say to it.
type topic struct {
	ask, more, reply []string
}

var topics = []topic{
	{ // size and stock
		ask:   []string{"你好，这款{颜}色还有货吗？", "请问{码}码适合多重的人穿", "亲，这件衣服偏大还是偏小", "我身高{高}，穿{码}码可以吗", "这个有没有{颜}色的"},
		more:  []string{"那{码}码呢？", "面料会不会起球", "洗了会缩水吗", "想要宽松一点的", "好的，我再看看"},
		reply: []string{"亲，{颜}色目前有现货的哦", "您好，按您的身高建议{码}码", "这款是标准码，按平时穿的拍就可以", "亲，{码}码库存还有{数}件", "面料是棉的，正常洗涤不会缩水"},
	},
	{ // delivery
		ask:   []string{"什么时候发货啊", "订单{单}怎么还没有发货", "物流三天没有更新了，帮我查一下", "今天拍今天能发吗", "发什么快递"},
		more:  []string{"单号是{单}", "我{日}号要出差，能不能快点", "能改地址吗", "快递显示已签收，但我没有收到", "那大概几天能到"},
		reply: []string{"亲，{时}点前付款当天发货的", "您好，已经帮您催促仓库了", "查到包裹在中转站，预计{天}天内送达", "默认发中通，亲", "已经为您登记加急，请耐心等待"},
	},
	{ // refund
		ask:   []string{"我要退货", "申请退款{天}天了还没处理", "收到的东西和图片不一样，怎么退", "运费谁出？", "退款什么时候到账"},
		more:  []string{"是质量问题，不是我不想要", "照片发你了", "订单号{单}", "那换货可以吗", "金额是{价}元"},
		reply: []string{"非常抱歉，您可以在订单里申请售后，我们马上处理", "亲，支持七天无理由的", "退款已经同意，一般{天}个工作日原路退回", "麻烦您拍一下吊牌和瑕疵的照片", "质量问题运费由我们承担"},
	},
	{ // price and coupons
		ask:   []string{"有优惠券吗", "满减怎么用不了", "昨天买的今天降价了，能退差价吗", "直播间的价格还有吗", "买两件能便宜点吗"},
		more:  []string{"差了{价}元呢", "券显示不可用", "那活动到几号", "好吧", "能送个小礼物吗"},
		reply: []string{"亲，首页可以领{价}元券哦", "这个价格已经是活动价了", "可以申请价保，系统会退差价", "活动到{日}号结束", "已经给您备注送小礼品啦"},
	},
	{ // use and after-sales
		ask:   []string{"这个怎么安装", "收到后开不了机", "说明书看不懂，有视频吗", "保修多久", "配件少了一个"},
		more:  []string{"按了没有反应", "型号是{型}", "已经充了{时}个小时电", "那要寄回去吗", "螺丝少了{数}颗"},
		reply: []string{"亲，长按电源键{数}秒试试", "安装视频发您了，请查看", "整机保修一年的", "马上给您补发配件", "请提供一下型号，我帮您看看"},
	},
	{ // invoice
		ask:   []string{"可以开发票吗", "发票抬头开错了", "电子发票发到哪里", "能开专票吗"},
		more:  []string{"税号稍后发你", "订单{单}", "什么时候能开好"},
		reply: []string{"可以的，订单完成后在发票中心申请", "已经为您红冲重开，{天}个工作日内更新", "电子发票会在订单详情里显示"},
	},
}

var (
	greetings  = []string{"在吗", "你好", "您好", "有人吗", "hi", "客服在不在"}
	nudges     = []string{"在吗？", "人呢", "怎么没人回", "？", "等了好久了", "有没有人啊", "客服呢", "回一下可以吗", "……", "能不能快点"}
	thanks     = []string{"好的谢谢", "谢谢", "明白了", "OK", "👌", "好的", "那我下单了"}
	openers    = []string{"您好，很高兴为您服务", "亲，在的", "您好，请稍等，我看一下", "亲亲，在的哦"}
	farewells  = []string{"不客气，祝您购物愉快", "有问题随时联系我们", "好的亲", "感谢支持，记得给个好评哦"}
	apologies  = []string{"不好意思久等了", "抱歉，刚才咨询的人比较多", "亲，让您久等了"}
	emojis     = []string{"😊", "🌹", "🙏", "😂", "😡", "👍"}
	autoTexts  = []string{"您好，欢迎光临！客服正在赶来，请稍等～", "亲，您的消息已收到，人工客服稍后回复您", "您好，当前咨询较多，请耐心等待哦"}
	botTexts   = []string{"我是智能客服小助手，请问有什么可以帮您？", "您可以回复：1 查物流 2 退换货 3 优惠活动", "已为您记录，人工客服上线后会尽快联系您"}
	closeWords = []string{"agent", "timeout", "consumer"}
)

// breach is a kind of message that breaks the rules: contacts, advertising, abuse, and the like.
type breach struct {
	byAgent bool
	texts   []string
}

var breaches = []breach{
	{byAgent: true, texts: []string{"加我微信 {号} 给您便宜{价}元", "薇❤：{号}，私下转账更优惠", "亲，加一下企鹅{数字}，发您内部链接", "打我电话{手机}吧，这里说不方便"}},
	{byAgent: true, texts: []string{"先付{价}元定金到我的支付宝，马上给您发货", "这边走平台手续费高，直接扫码付款可以吗"}},
	{byAgent: true, texts: []string{"买不起就别问", "你是不是听不懂人话"}},
	{texts: []string{"你们这什么破店，骗子", "客服都是猪脑子吗", "垃圾，滚"}},
	{texts: []string{"兼职日结{价}元，要的加V {号}", "专业代刷好评，一单{数}元，联系{手机}", "免费教你开店赚钱，进群{数字}"}},
	{texts: []string{"不赔我{价}元就给你差评，再去投诉你", "转我{价}红包，不然曝光你们"}},
}

// fill puts invented values in the places of a template.
func fill(r *rand.Rand, t string) string {
	if !strings.Contains(t, "{") {
		return t
	}
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(t, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, after, _ := strings.Cut(rest, "}")
		b.WriteString(value(r, name))
		t = after
	}
}

func value(r *rand.Rand, name string) string {
	switch name {
	case "颜":
		return pick(r, []string{"黑", "白", "米", "蓝", "灰", "酒红"})
	case "码":
		return pick(r, []string{"S", "M", "L", "XL", "38", "42"})
	case "高":
		return strconv.Itoa(150 + r.IntN(40))
	case "单":
		return strconv.FormatInt(6_900_000_000_000_000+r.Int64N(99_999_999_999_999), 10)
	case "天":
		return strconv.Itoa(1 + r.IntN(7))
	case "日":
		return strconv.Itoa(1 + r.IntN(28))
	case "时":
		return strconv.Itoa(2 + r.IntN(16))
	case "数":
		return strconv.Itoa(1 + r.IntN(20))
	case "价":
		return strconv.Itoa(5 * (1 + r.IntN(60)))
	case "型":
		return string(rune('A'+r.IntN(26))) + strconv.Itoa(100+r.IntN(900))
	case "号":
		return pick(r, []string{"abc", "kf", "vip", "lucky"}) + strconv.Itoa(1000+r.IntN(9000))
	case "数字":
		return strconv.Itoa(100_000_000 + r.IntN(900_000_000))
	case "手机":
		return "1" + pick(r, []string{"38", "59", "86", "77"}) + strconv.Itoa(10_000_000+r.IntN(90_000_000))
	}
	return ""
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }
