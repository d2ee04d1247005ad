package normal

// alike maps runes that NFKC leaves alone to what they are read as. Both columns are runes of a string.
func alike() map[rune]rune {
	table := make(map[rune]rune)
	pairs := func(from, to string) {
		f, t := []rune(from), []rune(to)
		for i, r := range f {
			table[r] = t[i]
		}
	}
	run := func(first rune, count int, to rune) {
		for i := range rune(count) {
			table[first+i] = to + i
		}
	}
	// Cyrillic, Greek, Armenian, Latin extensions, small capitals, and other letters that look Latin.
	pairs("авсеԁһіјкӏмнорԛгѕтуѵԝхьзбп", "abcedhijklmhopqrstyvwxb36n")
	pairs("АВСЕНІЈКМОРЅТУХѴԜԚ", "abcehijkmopstyxvwq")
	pairs("αβγεζηικμνορτυχωσ", "abyeznikuvoptuxwo")
	pairs("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "abezhikmnoptyx")
	pairs("աոսօցհյ", "wnuoghj")
	pairs("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz")
	pairs("ıȷɑɡøłđħŧɩɛɔƅƖɒʋ∨∪ⅴ√×✕✖╳", "ijagoldhtieoblavvuvvxxxx")
	pairs("ᎪᏴᏟᎠᎬᎻᎥᎫᏦᏞᎷᎾᏢᎡᏚᎢᏙᎳᎩᏃ", "abcdehijklmopestvwyz")
	// Digits that NFKC leaves: negative, double, and sans-serif circled.
	table['⓿'] = '0'
	run('❶', 9, '1')
	run('⓵', 9, '1')
	run('➀', 9, '1')
	run('➊', 9, '1')
	table['🄋'], table['🄌'] = '0', '0'
	// Negative circled, negative squared letters, regional indicators.
	run('🅐', 26, 'a')
	run('🅰', 26, 'a')
	run('🇦', 26, 'a')
	// Plus signs, at signs, dots.
	pairs("➕✚✛✜⊕╋＋⁺₊﹢✝†卄", "+++++++++++++")
	pairs("﹫", "@")
	pairs("•∙⋅●・‧᛫", "·······")
	pairs("〜～∼", "~~~")
	pairs("—–―‐‑‒−─━﹣", "----------")
	// Rare variants and shapes of Chinese characters.
	pairs("徽溦徴嶶癓薇", "微微微微微薇")
	pairs("伩訫吢", "信信心")
	pairs("釦咑莪伱祢妳您沵尓", "扣打我你你你您你你")
	pairs("湳媽嗎駡傚咁", "南妈吗骂效咁")
	pairs("亽囚", "人囚")
	pairs("牠祂怹沱", "它他他他")
	pairs("誩傢", "言家")
	pairs("峸荿", "成成")
	pairs("㊣囍槑", "正喜呆")
	return table
}
