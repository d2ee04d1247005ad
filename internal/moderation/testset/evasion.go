package testset

import "strings"

// Evasions is n contacts in disguise.
func Evasions(half Half, n int, seed uint64) []Sample {
	w := newWriter(half, seed)
	writers := []func(*writer) Sample{
		phone, phone, phone, wechat, wechat, wechat, wechat, wechatAsked, qq, qq, qqGroup, email, link, link,
		bankCard, payment, payment, address, messenger, messenger,
	}
	samples := make([]Sample, 0, n)
	seen := make(map[string]bool)
	for i := 0; len(samples) < n; i++ {
		s := writers[i%len(writers)](w)
		if seen[s.Text] {
			continue
		}
		seen[s.Text], s.Violating = true, true
		samples = append(samples, s)
	}
	return samples
}

// fill replaces {} by the contact.
func fill(template, contact string) string { return strings.ReplaceAll(template, "{}", contact) }

func phone(w *writer) Sample {
	style, number := w.disguise(digitDisguises(), w.mobile())
	return Sample{Kind: "phone", Style: style, Text: fill(w.pick([]string{
		"{}", "{}", "打我电话{}", "我手机{}你打过来", "电话:{}", "联系电话是{}哦", "有事call我{}", "可以直接打{}找我", "我号码{}", "拨打{}咨询更快",
		"需要的话联系{}", "亲 平台回复慢 您打{}", "老板电话{},便宜很多", "手机号发你了{}", "记一下{}", "短信到{}就行", "这里说不清楚，你拨{}吧", "tel {} 小王", "不走平台更优惠，致电{}", "晚上联系不上就打{}",
	}), number)}
}

func wechat(w *writer) Sample {
	account := w.handle()
	all := nameDisguises()
	if w.chance(0.35) {
		account, all = w.mobile(), digitDisguises()
	}
	style, account := w.disguise(all, account)
	word := w.pick([]string{
		"微信", "薇信", "威信", "vx", "VX", "v信", "wx", "V", "微❤", "威❤", "weixin", "wei信", "徽信", "維信", "微 信", "微.信", "ｖｘ", "Ⓥ", "wechat", "WeChat", "微x", "🅥", "卫星号", "微♥",
		"νх", "ѵх", "彳攵信", "溦信", "V❤", "v心", "微[心]", "🛰号", "w x", "v-x", "wēi信", "w信", "绿泡泡", "绿色软件", "VX号", "微信号", "w❤", "wei心",
	})
	return Sample{Kind: "wechat", Style: word + "/" + style, Text: fill(strings.ReplaceAll(w.pick([]string{
		"加我W：{}", "W：{}", "加W {}", "➕W{}", "我的W是{}", "W {}", "私W：{} 给你优惠", "加个W吧，{}", "+W {}", "有问题加W:{}", "亲加一下W{}送小礼物", "找我W{}",
		"这边发不了图，加下W {}", "留个W {} 回头联系", "可以+我W {}", "咱们W聊 {}", "力口W {}", "咖W：{}", "佳W{}，返现5元", "嘉我W {}", "方便的话加W{}", "家W{}领红包",
	}), "W", word), account)}
}

func wechatAsked(w *writer) Sample {
	return Sample{Kind: "wechat", Style: "asked", Text: w.pick([]string{
		"加个微信聊吧", "加个薇信吧", "方便加下威信吗", "➕V私聊", "亲可以加v吗", "可以加一下您的微信吗", "加我vx有优惠", "加我VX便宜点", "我们微信上说", "去威❤上聊吧", "留个微信我发你链接", "留个wx我发你资料",
		"你微信多少", "你V多少我加你", "您的微信号发我一下", "给个v信方便联系", "加老板微信直接拿货", "力口微信 价格更低", "扫码加微信进群", "扫我二维码加好友", "能不能加V，平台上不方便", "能加个w x吗，这里说不方便", "jia wo wei xin", "jia v xin liao", "加薇❤领券", "家微信领券",
		"咱们加個微信聊", "加個薇信慢慢說", "把你微信给我", "把你的vx告诉我", "微信联系哦", "威信联系", "加微 信", "加 微 信 聊", "主页有我的微信号", "看我头像加v", "V我", "vx滴滴我", "私我v", "戳我微信", "+v", "+薇", "➕薇", "➕wx",
	})}
}

func qq(w *writer) Sample {
	style, number := w.disguise(digitDisguises(), w.digits(8+w.rand.IntN(3)))
	word := w.pick([]string{"QQ", "qq", "扣扣", "Q", "球球", "企鹅号", "ＱＱ", "q q", "秋秋", "抠抠", "叩叩", "🐧", "Q号", "QQ号", "蔻蔻", "企鹅", "Ⓠ", "🅠🅠"})
	return Sample{Kind: "qq", Style: word + "/" + style, Text: fill(strings.ReplaceAll(w.pick([]string{
		"加W{}", "加我W：{}", "W:{}", "W{}联系", "我的W {}", "W是{}", "有事加W {}", "联系W{}详聊", "➕W {}", "+W{}", "私聊W {}", "找我W：{}",
	}), "W", word), number)}
}

func qqGroup(w *writer) Sample {
	style, number := w.disguise(digitDisguises(), w.digits(9))
	return Sample{Kind: "qq", Style: "group/" + style, Text: fill(w.pick([]string{
		"进群{}领优惠", "加群{}", "QQ群：{}", "q群{}", "扣扣群 {}", "企鹅群{}进来聊", "我们的粉丝裙{}", "加裙{}领红包", "福利羣：{}", "入群{} 备注买家", "qun:{}", "交流qun {}",
	}), number)}
}

func email(w *writer) Sample {
	host := w.any([]string{"qq.com", "163.com", "126.com", "gmail.com", "foxmail.com", "sina.com", "outlook.com"})
	name := w.handle()
	style, local := w.disguise(nameDisguises(), name)
	at := w.pick([]string{"@", "@", "＠", " @ ", "(at)", "[at]", "艾特", "#at#", "圈a", "©"})
	dot := "."
	if w.chance(0.4) {
		dot = w.pick([]string{"点", "。", "．", " dot ", "(点)", "·"})
	}
	return Sample{Kind: "email", Style: style + at + dot, Text: fill(w.pick([]string{
		"{}", "发我邮箱{}", "邮箱：{}", "图纸发到{}", "email {}", "我的邮件地址{}", "资料请发{}", "mail：{}", "联系邮箱 {} 谢谢", "可以发e-mail到{}",
	}), local+at+strings.ReplaceAll(host, ".", dot))}
}

func link(w *writer) Sample {
	name := w.any([]string{"haowuhui", "tejia88", "youhuiquan", "zhigou", "mai365", "lingquan", "bestshop", "dajia99"})
	host := name + w.any([]string{".com", ".cn", ".top", ".xyz", ".shop", ".cc", ".net", ".vip"})
	known := []string{"item.taobao.com/item.htm?id=" + w.digits(12), "t.cn/A" + w.digits(6), "mobile.yangkeduo.com/goods?id=" + w.digits(9), "item.jd.com/" + w.digits(8) + ".html", "m.tb.cn/h." + w.digits(6), "xhslink.com/" + w.digits(5), "pan.baidu.com/s/1" + w.digits(8), "u.wechat.com/" + w.digits(8)}
	style := "plain"
	switch w.rand.IntN(6) {
	case 0:
		host, style = w.any(known), "known"
	case 1:
		host, style = "https://"+host+"/"+w.digits(4), "https"
	case 2:
		host, style = strings.ReplaceAll(host, ".", w.pick([]string{"点", "。", "．", "(dot)", " . ", "[.]"})), "dot"
	case 3:
		style, host = w.disguise(nameDisguises(), host)
	case 4:
		host, style = "www."+host, "www"
	case 5:
		host, style = "http://douyin.com."+host, "posing as the platform"
	}
	return Sample{Kind: "link", Style: style, Text: fill(w.pick([]string{
		"{}", "点这个链接 {} 下单", "去{}看看", "网址{}", "复制打开 {}", "我们官网{}更便宜", "浏览器搜 {}", "链接：{}", "这里便宜 {} 直接拍", "打开{}领券",
	}), host)}
}

func bankCard(w *writer) Sample {
	number := w.card()
	var style string
	switch w.rand.IntN(3) {
	case 0:
		style = "plain"
	case 1:
		style, number = "groups", number[:4]+" "+number[4:8]+" "+number[8:12]+" "+number[12:16]+" "+number[16:]
	default:
		style, number = w.disguise(digitDisguises(), number)
	}
	return Sample{Kind: "bank_card", Style: style, Text: fill(w.pick([]string{
		"打到卡里{}", "银行卡号{}", "卡号：{} 户名李强", "转账到{} 农行", "建设银行 {} 王芳", "我的工行卡{}", "汇款到{}招商银行", "定金打这个账户{}", "钱转{}", "帐号{} 开户行中国银行",
	}), number)}
}

func payment(w *writer) Sample {
	style, account := w.disguise(digitDisguises(), w.mobile())
	if w.chance(0.3) {
		style, account = "email", w.handle()+"@"+w.any([]string{"163.com", "qq.com"})
	}
	return Sample{Kind: "payment_account", Style: style, Text: fill(w.pick([]string{
		"支付宝{}", "我的支付宝账号是{}", "支付寶转我{} 少收10块", "zfb：{}", "直接转支付宝 {}", "ZFB {}", "支付宝收款{}", "zhifubao {}", "微信转账给我{}", "转我支付宝就行{}", "支.付.宝{}", "支付饱 {}",
	}), account)}
}

func address(w *writer) Sample {
	no := w.digits(1 + w.rand.IntN(3))
	return Sample{Kind: "address", Style: "store", Text: fill(w.pick([]string{
		"我们实体店在杭州市西湖区文三路{}号，欢迎过来", "线下门店地址：成都市锦江区春熙路{}号", "可以来店里自提，广州市白云区三元里大道{}号", "店铺位置在上海市徐汇区漕溪北路{}弄2号楼", "你直接到义乌市稠州北路{}号来拿，现金更便宜", "来我档口拿货 深圳市福田区华强北路{}号3楼",
		"实体店地址北京市朝阳区建国路{}号", "我店在武汉江汉路{}号旁边，过来看货", "地址给你：苏州市姑苏区观前街{}号，到店优惠", "南京市鼓楼区中山路{}号，来店付款不用走平台", "工厂地址东莞市虎门镇太沙路{}号，可以上门看", "门店：重庆市渝中区解放碑步行街{}号",
	}), no)}
}

func messenger(w *writer) Sample {
	style, account := w.disguise(nameDisguises(), w.handle())
	return Sample{Kind: "other_messenger", Style: style, Text: fill(w.pick([]string{
		"telegram：{}", "whatsapp {}", "加我tg {}", "WhatsApp加我：{}", "钉钉号{}", "钉钉联系 {}", "陌陌{}", "探探找我{}", "小红书搜{}私信我", "小红书私信{}", "旺旺：{}", "旺旺联系{}", "line id {}", "加LINE：{}", "纸飞机 {}", "电报群{}", "闲鱼搜{}更便宜", "咸鱼搜{}", "飞机@{}", "skype:{}",
	}), account)}
}
