// What the pages say, in both languages.
const all = {
  zh: {
    chatTitle: '在线客服', desk: '客服工作台', inbox: '会话', skipToInput: '跳到输入框', skipToInbox: '跳到会话列表', switchTo: 'English', otherLanguage: 'en',
    connecting: '正在连接…', reconnecting: '连接已断开，正在重新连接…', connected: '已连接', ended: '连接已结束：', retryNow: '立即重试',
    humanReceives: '人工接待中', botReceives: '机器人接待中', botNotice: '客服暂时繁忙，由机器人为您接待，人工客服稍后就来。',
    deskBotNotice: (n) => `机器人已接管接待：未回复消息超过 ${n} 条。人工回复任意消息即恢复人工接待。`, resumeReception: '恢复人工接待', unreplied: (n, l) => `未回复 ${n} / ${l}`,
    placeholder: '输入消息', deskPlaceholder: '回复消费者，Enter 发送，Shift+Enter 换行', send: '发送', attach: '添加图片或 PDF', quick: '快捷回复（/）',
    bot: '机器人', system: '系统', auto: '自动', you: '我', agentName: (id) => `客服 ${id}`, read: '已读', sending: '发送中', unsent: '未发送', resend: '重新发送', tooBig: '文件超过 10 MB，不能发送。',
    uploading: (p) => `上传中 ${p}%`, uploadFailed: '上传失败', file: '文件', picture: '图片', open: '打开', card: '卡片', hiddenMessage: '该消息因违规已被屏蔽', older: '查看更早的消息', noMessages: '还没有消息。有什么可以帮您？', deskNoMessages: '还没有消息。',
    today: '今天', yesterday: '昨天', typing: '对方正在输入…', conversationClosed: '会话已结束', transferred: (to) => to ? `会话已转给 ${to}` : '会话已释放', ratedDone: (n) => `评价：${n} 星`, blockedNow: '店铺已拉黑该账号', unblockedNow: '已解除拉黑',
    rateTitle: '请为这次服务评分', rateThanks: '感谢您的评价。', rateLabels: ['很不满意', '不满意', '一般', '满意', '非常满意'], later: '以后再说', submit: '提交',
    mutedUntil: (t) => `您的账号因违规被禁言至 ${t}。`, mutedForGood: '您的账号因违规被永久禁言。', banned: '您的账号因违规已被封禁。', shopMuted: (t) => `店铺因违规被禁言至 ${t}。`, shopBanned: '店铺因违规已被封禁。',
    signInTitle: '登录', signInText: '粘贴令牌以登录。', token: '令牌', signIn: '登录', signOut: '退出', badToken: '令牌无效或已过期，请重新登录。', wrongRole: '该令牌不能用于此页面。', needShop: '缺少店铺：请在地址后加 ?shop=店铺编号。',
    online: '在线', break: '小休', offline: '离线', myState: '我的状态', claim: '接入', transfer: '转接', block: '拉黑', unblock: '解除拉黑', closeConversation: '结束会话', back: '返回会话列表', cancel: '取消',
    chooseConversation: '选择一个会话开始接待', keysHint: 'Alt+↑ / Alt+↓ 切换会话，/ 快捷回复', emptyInbox: '没有等待的会话。新消息会立刻出现在这里。', noMatch: '没有符合的会话。', filter: '搜索消费者', waiting: (t) => `剩余 ${t}`, overdue: (t) => `超时 ${t}`, mine: '我的', nobody: '未分配', assignedTo: (a) => `由 ${a} 接待`, closedItem: '已结束', blockedItem: '已拉黑',
    transferTitle: '转接给', transferLabel: '客服账号', blockTitle: '拉黑该消费者', blockLabel: '原因（消费者有权投诉，请如实填写）', closeTitle: '结束会话', closeLabel: '原因（可不填）', noQuick: '没有快捷回复。', consumerReads: '消费者已读',
    errors: { muted: '账号被禁言，消息未发送。', banned: '账号被封禁，消息未发送。', blocked: '店铺已拉黑您，消息未发送。', claimed: '会话由其他客服接待中。', rated: '已经评价过了。', rate_limited: '发送太快，请稍候。', try_again: '暂时无法送达，正在重试。', too_large: '内容过大。', bad_file: '不支持的文件，请使用图片或 PDF。', invalid: '内容不符合要求。', forbidden: '没有权限。', not_found: '附件已不存在。', history_away: '历史记录暂时无法读取。', internal: '服务出错，请稍后再试。', unauthorized: '登录已失效，请重新登录。', client_refused: '该应用或网站未获授权。', too_many: '连接过多，稍后重试。' },
  },
  en: {
    chatTitle: 'Customer service', desk: 'Workbench', inbox: 'Conversations', skipToInput: 'Skip to the message box', skipToInbox: 'Skip to the conversations', switchTo: '中文', otherLanguage: 'zh',
    connecting: 'Connecting…', reconnecting: 'The connection was lost. Connecting again…', connected: 'Connected', ended: 'The connection has ended: ', retryNow: 'Try now',
    humanReceives: 'A human will answer', botReceives: 'The bot is answering', botNotice: 'Our agents are busy. The bot answers for now; a human is coming.',
    deskBotNotice: (n) => `The bot has taken over: more than ${n} messages are unreplied. Any reply of yours brings reception back.`, resumeReception: 'Receive by hand again', unreplied: (n, l) => `Unreplied ${n} / ${l}`,
    placeholder: 'Write a message', deskPlaceholder: 'Reply. Enter sends, Shift+Enter breaks the line', send: 'Send', attach: 'Add a picture or PDF', quick: 'Quick replies (/)',
    bot: 'Bot', system: 'System', auto: 'Automatic', you: 'You', agentName: (id) => `Agent ${id}`, read: 'Read', sending: 'Sending', unsent: 'Not sent', resend: 'Send again', tooBig: 'The file is larger than 10 MB.',
    uploading: (p) => `Uploading ${p}%`, uploadFailed: 'The upload failed', file: 'File', picture: 'Picture', open: 'Open', card: 'Card', hiddenMessage: 'This message was hidden for breaking the rules', older: 'Earlier messages', noMessages: 'No messages yet. How can we help?', deskNoMessages: 'No messages yet.',
    today: 'Today', yesterday: 'Yesterday', typing: 'Typing…', conversationClosed: 'The conversation has ended', transferred: (to) => to ? `Handed over to ${to}` : 'Released', ratedDone: (n) => `Rated ${n} of 5`, blockedNow: 'The shop has blocked this account', unblockedNow: 'The block was lifted',
    rateTitle: 'How was the service?', rateThanks: 'Thank you for rating.', rateLabels: ['Very bad', 'Bad', 'Fair', 'Good', 'Very good'], later: 'Later', submit: 'Submit',
    mutedUntil: (t) => `Your account is muted until ${t} for breaking the rules.`, mutedForGood: 'Your account is muted for good.', banned: 'Your account is banned.', shopMuted: (t) => `The shop is muted until ${t}.`, shopBanned: 'The shop is banned.',
    signInTitle: 'Sign in', signInText: 'Paste a token to sign in.', token: 'Token', signIn: 'Sign in', signOut: 'Sign out', badToken: 'The token is wrong or has expired. Sign in again.', wrongRole: 'That token is not for this page.', needShop: 'No shop: add ?shop=ID to the address.',
    online: 'Online', break: 'On a break', offline: 'Offline', myState: 'My state', claim: 'Take', transfer: 'Hand over', block: 'Block', unblock: 'Unblock', closeConversation: 'End', back: 'Back to the conversations', cancel: 'Cancel',
    chooseConversation: 'Choose a conversation', keysHint: 'Alt+↑ / Alt+↓ go from one to the next, / opens quick replies', emptyInbox: 'Nobody waits. New messages appear here at once.', noMatch: 'No conversation matches.', filter: 'Find a consumer', waiting: (t) => `${t} left`, overdue: (t) => `${t} late`, mine: 'Mine', nobody: 'Nobody', assignedTo: (a) => `With ${a}`, closedItem: 'Ended', blockedItem: 'Blocked',
    transferTitle: 'Hand over to', transferLabel: 'Account of the agent', blockTitle: 'Block this consumer', blockLabel: 'Reason (the consumer may complain; say it as it is)', closeTitle: 'End the conversation', closeLabel: 'Reason (optional)', noQuick: 'No quick replies.', consumerReads: 'Read by the consumer',
    errors: { muted: 'The account is muted; the message was not sent.', banned: 'The account is banned; the message was not sent.', blocked: 'The shop has blocked you; the message was not sent.', claimed: 'Another agent has the conversation.', rated: 'It has been rated already.', rate_limited: 'Too fast; wait a moment.', try_again: 'It cannot be delivered now; trying again.', too_large: 'That is too large.', bad_file: 'Only pictures and PDFs can be sent.', invalid: 'That cannot be sent.', forbidden: 'You may not do that.', not_found: 'The attachment is gone.', history_away: 'History cannot be read now.', internal: 'Something went wrong; try again later.', unauthorized: 'You were signed out. Sign in again.', client_refused: 'This application or site is not authorised.', too_many: 'Too many connections; try later.' },
  },
};

export const language = document.documentElement.lang === 'en' ? 'en' : 'zh';
export const words = all[language];

// errorText is what people are told of a refusal.
export function errorText(frame) {
  return words.errors[frame.code] || frame.text || frame.code;
}

// label fills in what the page's elements say.
export function label(root = document) {
  for (const el of root.querySelectorAll('[data-word]')) el.textContent = words[el.dataset.word];
}

// languageLink leads to the same page in the other language. A token stays in this tab's storage.
export function languageLink(el) {
  const url = new URL(location.href);
  url.searchParams.set('lang', words.otherLanguage);
  url.hash = '';
  el.href = url.pathname + url.search;
  el.textContent = words.switchTo;
  el.lang = words.otherLanguage;
}

const locale = language === 'en' ? 'en-GB' : 'zh-CN';
const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' });
const dates = new Intl.DateTimeFormat(locale, { year: 'numeric', month: 'long', day: 'numeric' });
const full = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });

export const timeOf = (us) => clock.format(new Date(us / 1000));
export const momentOf = (us) => full.format(new Date(us / 1000));

export function dayOf(us) {
  const day = new Date(us / 1000), now = new Date();
  const days = Math.round((new Date(now.toDateString()) - new Date(day.toDateString())) / 864e5);
  return days === 0 ? words.today : days === 1 ? words.yesterday : dates.format(day);
}
