// What the page says, in English and Chinese.

export const WORDS = {
  en: {
    switch: "中文",
    switch_title: "Switch to Chinese",
    loading: "Loading the model… {size} MB",
    about_classify: "Answers “{target}” with one of {count} labels.",
    about_regress: "Answers “{target}” with a number.",
    tested: "On its test rows: {metrics}.",
    ask: "Answer",
    example: "Fill in the example",
    clear: "Clear",
    answer: "Answer",
    confidence: "with probability {share}",
    took: "Computed on this device in {time} ms.",
    more: "and {count} more labels, {share} together",
    private: "Everything runs in this browser. What you enter is not sent anywhere.",
    text: "text", number: "number", category: "category", date: "date", image: "image",
    empty: "(empty)",
    nothing: "Nothing is filled in yet.",
    problem: "“{column}” cannot be read. Expected: {expected}",
    expect_text: "text",
    expect_number: "a number such as 12.5 or 1,250, or nothing",
    expect_date: "a date such as 2024-03-05 or 2024-03-05 14:30, or nothing",
    expect_image: "a PNG, JPEG, BMP, GIF or WebP image",
    broken: "The model cannot be opened here.",
  },
  zh: {
    switch: "English",
    switch_title: "切换到英文",
    loading: "正在加载模型…… {size} MB",
    about_classify: "预测“{target}”，从 {count} 个标签中给出一个。",
    about_regress: "预测“{target}”，给出一个数值。",
    tested: "测试集结果：{metrics}。",
    ask: "预测",
    example: "填入示例",
    clear: "清空",
    answer: "答案",
    confidence: "概率 {share}",
    took: "在本设备上计算，用时 {time} 毫秒。",
    more: "其余 {count} 个标签合计 {share}",
    private: "全部计算都在此浏览器内完成，您输入的内容不会发送到任何地方。",
    text: "文本", number: "数值", category: "类别", date: "日期", image: "图片",
    empty: "（空）",
    nothing: "还没有填写任何内容。",
    problem: "无法读取“{column}”。应为：{expected}",
    expect_text: "文本",
    expect_number: "数字，如 12.5 或 1,250；也可留空",
    expect_date: "日期，如 2024-03-05、2024-03-05 14:30 或 2024年3月5日；也可留空",
    expect_image: "PNG、JPEG、BMP、GIF 或 WebP 图片",
    broken: "无法在此打开模型。",
  },
};

// The sentence `key` in `language` with its places `{...}` filled.
export function say(language, key, places = {}) {
  return WORDS[language][key].replace(/\{(\w+)\}/g, (_, place) => String(places[place]));
}

// The language of the address (?lang=zh), else the browser's.
export function chooseLanguage() {
  const wanted = new URLSearchParams(location.search).get("lang") ?? navigator.language;
  return wanted.toLowerCase().startsWith("zh") ? "zh" : "en";
}
