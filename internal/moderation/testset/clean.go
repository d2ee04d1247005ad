package testset

import (
	"fmt"
	"strings"
)

// HardNegatives is n clean messages that look like violations.
func HardNegatives(half Half, n int, seed uint64) []Sample {
	w := newWriter(half, seed)
	samples := make([]Sample, 0, n)
	seen := make(map[string]bool)
	writers := []func(*writer) Sample{orderNumber, tracking, price, size, model, date, platformLink, lookalike, mention, delivery, quantity, code}
	// Fixed sentences run out; the rest goes on with numbers.
	for i, misses := 0, 0; len(samples) < n && misses < 10_000; i++ {
		s := writers[i%len(writers)](w)
		if seen[s.Text] {
			misses++
			continue
		}
		seen[s.Text] = true
		samples = append(samples, s)
	}
	return samples
}

func clean(kind, text string) Sample { return Sample{Kind: kind, Style: kind, Text: text} }

func orderNumber(w *writer) Sample {
	number := w.any([]string{"69", "47", "48", "13", "15", "18"}) + w.digits(16)
	switch w.rand.IntN(4) {
	case 0:
		number = "20" + fmt.Sprintf("%02d%02d%02d", 20+w.rand.IntN(7), 1+w.rand.IntN(12), 1+w.rand.IntN(28)) + w.unluhn(10)
	case 1:
		number = w.unluhn(19)
	case 2:
		number = w.unluhn(16)
	}
	return clean("order number", fill(w.pick([]string{
		"订单号{}", "{}", "我的订单{}什么时候发货", "订单编号：{} 帮我查一下", "查一下{}这个单", "{} 这个订单改下颜色", "单号{}还没发吗", "退款单{}处理一下", "售后单号 {}", "订单{}地址写错了", "拍下了，订单号是{}", "麻烦看下{}，谢谢",
		"订单 {} 申请退款了", "亲，{}这单今天能发吗", "交易号{}", "流水号：{}", "合并发货：{}", "{} 少发了一件",
	}), number))
}

func tracking(w *writer) Sample {
	number := w.any([]string{"SF", "YT", "JT", "JDVA", "ZTO", "STO", "DPK", "EB"}) + w.digits(12+w.rand.IntN(3))
	switch w.rand.IntN(4) {
	case 0:
		number = w.any([]string{"73", "75", "77", "43", "98", "31"}) + w.digits(11+w.rand.IntN(2))
	case 1:
		number = "E" + w.any([]string{"A", "B", "C"}) + w.digits(9) + "CN"
	}
	return clean("tracking number", fill(w.pick([]string{
		"快递单号{}", "{}", "圆通{}", "物流单号：{} 一直没更新", "中通快递 {} 请查收", "申通{}，三天没动了", "退回运单号{}", "您的包裹{}已到驿站", "韵达{}到哪了", "查了{}显示已签收但我没收到", "顺丰单号 {}", "寄回单号{}麻烦查收", "邮政{} 帮催一下", "极兔 {} 怎么还没派送",
	}), number))
}

func price(w *writer) Sample {
	p := func() string { return fmt.Sprintf("%d", 9+w.rand.IntN(2000)) }
	q := func() string { return fmt.Sprintf("%d.%d", 1+w.rand.IntN(300), w.rand.IntN(100)) }
	return clean("price", w.pick([]string{
		"这款" + p() + "元包邮", "优惠后" + q() + "元", "满" + p() + "减" + p(), "拍2件" + p() + "，3件" + p(), "原价" + p() + "现在" + p(), "到手价" + q(), "券后" + p() + "，再减" + p(), "¥" + q() + "可以吗", "差价" + q() + "退给您", "运费" + p() + "元",
		"三个规格分别是" + p() + "、" + p() + "、" + p(), "昨天买" + p() + "今天就" + p() + "了", p() + "块太贵了 " + p() + "卖不卖", "一共" + q() + "，给您退了" + q(), "100 200 500 三种面额，选哪个", "价格表：1号" + p() + " 2号" + p() + " 3号" + p(), "定金" + p() + "，尾款" + p(), "付定金立减" + p(),
	}))
}

func size(w *writer) Sample {
	h, k := 150+w.rand.IntN(40), 90+w.rand.IntN(80)
	return clean("size", w.pick([]string{
		fmt.Sprintf("身高%d体重%d穿什么码", h, k), fmt.Sprintf("%d %d 穿多大", h, k), fmt.Sprintf("%d/%dA这个码有吗", h, k), fmt.Sprintf("胸围%d腰围%d臀围%d", k, k-20, k+2), fmt.Sprintf("鞋码%d，脚长%d毫米", 35+w.rand.IntN(10), 220+w.rand.IntN(60)),
		fmt.Sprintf("尺寸是%d*%d*%dcm", h, k, 20+w.rand.IntN(50)), fmt.Sprintf("有没有%d-%d的，孩子%d斤", h-60, h-50, k/3), fmt.Sprintf("我%dcm，%d斤，L还是XL", h, k), fmt.Sprintf("桌子长%d宽%d高%d能放下吗", h, k, 75), fmt.Sprintf("裤长%d，腰围2尺%d", 90+w.rand.IntN(20), w.rand.IntN(9)),
		fmt.Sprintf("130 140 150 160码都有，您孩子%d穿1%d0", h-40, 3+w.rand.IntN(3)), fmt.Sprintf("窗帘%d×%d两片", 150+w.rand.IntN(300), 200+w.rand.IntN(80)), "V领的有没有，v型领也行", fmt.Sprintf("Q版手办%d厘米高吗", 8+w.rand.IntN(20)), "36、37、38、39、40都有现货", fmt.Sprintf("戒指内径%d.%dmm", 15+w.rand.IntN(5), w.rand.IntN(10)),
	}))
}

func model(w *writer) Sample {
	return clean("model", fill(w.pick([]string{
		"型号是{}吗", "{}有货吗", "我要买{}的配件", "支持{}吗", "{}和上一代有什么区别", "货号{}断码了吗", "我的手机是{}能用这个壳吗", "{}的说明书有吗", "电脑型号{}装得上吗", "条码{}", "发错了，我要的是{}", "{}现在什么价",
	}), w.pick([]string{
		"iPhone 15 Pro Max", "RTX4060Ti", "华为Mate60", "XQ-72Pro", "小米14Ultra", "WH-1000XM5", "QX-3200", "vivo X100", "Redmi K70", "VX-5500", "i5-13600KF", "WX-2188", "ThinkPad E14", "WXS-8603C", "DDR5 6000", "V15S Plus", "HUAWEI nova 12", "QQ-M300", "KFR-35GW", "690" + w.digits(10), "AJ1 " + w.digits(6) + "-100", "DD" + w.digits(4) + "-001", "M2 256G", "CR2032",
	})))
}

func date(w *writer) Sample {
	m, d, h := 1+w.rand.IntN(12), 1+w.rand.IntN(28), w.rand.IntN(24)
	return clean("date", w.pick([]string{
		fmt.Sprintf("2026年%d月%d日前发货", m, d), fmt.Sprintf("2026-%02d-%02d %02d:%02d下的单", m, d, h, d), fmt.Sprintf("%d.%d号能到吗", m, d), fmt.Sprintf("生产日期2025%02d%02d", m, d), fmt.Sprintf("%d月%d号%d点前付款", m, d, h), fmt.Sprintf("保质期到2027/%d/%d", m, d),
		fmt.Sprintf("2026%02d%02d%02d3015 我付的款", m, d, h), fmt.Sprintf("活动时间%d.%d-%d.%d", m, d, m, d+2), fmt.Sprintf("发货时间：2026/%d/%d %d:30", m, d, h), fmt.Sprintf("批号202%d%02d%02d", w.rand.IntN(7), m, d), fmt.Sprintf("%d日%d:15签收的", d, h), fmt.Sprintf("上午%d点到%d点有人吗", 8+w.rand.IntN(2), 11+w.rand.IntN(2)),
		"一三五单号，二四六双号送货", "一二三四五六七天都可以", "五一六一都有活动吗", "十一二号能发吗", fmt.Sprintf("一五年买的那台,用到二%d年", w.rand.IntN(6)), "三八节有优惠吗，一八折？",
	}))
}

func platformLink(w *writer) Sample {
	return clean("platform link", fill(w.pick([]string{
		"{}", "就是这款 {}", "您看一下这个链接{}", "商品链接：{}", "直播间{}", "{} 这个有优惠吗", "复制打开抖音 {}", "拍这个补差价 {}", "退货入口{}", "您点{}查看物流",
	}), w.any([]string{
		"https://haohuo.jinritemai.com/views/product/item2?id=" + w.digits(19), "https://v.douyin.com/i" + w.digits(5) + "/", "https://www.douyin.com/video/" + w.digits(19), "v.douyin.com/iR" + w.digits(4), "https://fxg.jinritemai.com/ffa/mshop/homepage", "https://im.jinritemai.com/pc_seller_v2/main?id=" + w.digits(6), "www.iesdouyin.com/share/user/" + w.digits(11), "douyin.com/user/" + w.digits(8),
	})))
}

func delivery(w *writer) Sample {
	road := w.any([]string{"文三路", "人民路", "解放大道", "中山北路", "建设街"})
	no := fmt.Sprintf("%d", 1+w.rand.IntN(300))
	return clean("delivery", w.pick([]string{
		"收货地址改成杭州市西湖区" + road + no + "号", "地址错了，改到" + road + no + "号3单元502", "送到小区门口就行", "收件地址：北京市海淀区" + road + no + "号，谢谢", "帮我改个地址 广州天河区" + road + no + "号", "放" + road + "驿站就行", "快递放" + no + "栋门口", "收货人改成王女士，" + road + no + "号院",
		"派送到" + road + no + "号楼下给我电话", "地址是" + road + "的那个订单别发了", "寄到公司，" + road + no + "号大厦B座", "退货地址发我一下", "请问你们发货地是哪里", "我在四川能送到村里吗", "从" + road + "仓库发货吗", "收货地址是" + road + no + "号没错吧",
	}))
}

func quantity(w *writer) Sample {
	a, b := 1+w.rand.IntN(30), 1+w.rand.IntN(500)
	return clean("quantity", w.pick([]string{
		fmt.Sprintf("要%d个，%d克装的", a, b), fmt.Sprintf("一箱%d瓶，每瓶%dml", a, b), fmt.Sprintf("功率%dW，电压220V", b), fmt.Sprintf("%d毫安能用多久", b*100), fmt.Sprintf("买%d送%d", a, a/3+1), fmt.Sprintf("还剩%d件库存", b), fmt.Sprintf("%d寸屏，分辨率1920*1080", a+20), fmt.Sprintf("内存%dG够用吗", a*4), fmt.Sprintf("净重%d.%dkg", a, b%10), fmt.Sprintf("%d支装%d盒", a, b), fmt.Sprintf("12V%d安的电瓶", b), fmt.Sprintf("5V2A充电头，%d米线", a), fmt.Sprintf("Q弹的那种要%d包", a), fmt.Sprintf("v%d.%d版本固件", a, b%10),
		fmt.Sprintf("一共%d单，%d单没发", a+5, a), fmt.Sprintf("粉丝%d万的店", b),
	}))
}

func code(w *writer) Sample {
	return clean("code", fill(w.pick([]string{
		"取件码{}", "优惠码{}用不了", "验证码收不到", "兑换码 {}", "店铺会员号{}", "发票税号91330106{}XA", "开票抬头 税号{}", "激活码{}无效", "序列号{}", "取货码 {}", "保修卡编号{}", "客服工号{}为您服务", "身份证后四位{}", "房间密码锁{}怎么改", "邮编{}", "设备SN {}",
	}), w.any([]string{w.digits(4), w.digits(6), "A" + w.digits(7), w.digits(3) + "-" + w.digits(4), strings.ToUpper(w.handle()[:3]) + w.digits(6)})))
}
