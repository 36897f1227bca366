#!/bin/sh
# 核验一份导出的办件档案。只用 openssl、sha256sum、cmp、od、dd、cut。
# Checks an exported case with nothing but openssl, sha256sum, cmp, od, dd and cut.
#
#   sh verify.sh ROOT
#
# ROOT: 城市根策略的 SHA-256（64 位十六进制）或指纹（8 组 4 字），须从可信渠道取得，不可取自本档案。
# ROOT: SHA-256 of the city's root policy (64 hexadecimal digits) or its fingerprint (8 groups of 4),
#       taken from a source you trust, never from this directory.
#
# 退出码 / exit status: 0 全部相符 all holds; 1 有一项不符 something does not hold;
#   2 内部一致，但未与可信的根核对 consistent in itself, but not compared with a trusted root;
#   3 工具不足 a tool is missing.
#
# 位移见 README.txt。文件前 32 字节是用途标签。
# Offsets: see README.txt. The first 32 bytes of a .signed file say what it is for.

set -u
unset CDPATH
LC_ALL=C
export LC_ALL
case $0 in */*) cd "${0%/*}" || exit 3 ;; esac

RECORD=68616c6c6d6573682f76312f7265636f72640000000000000000000000000000
EVENT=68616c6c6d6573682f76312f6576656e74000000000000000000000000000000
ZERO=0000000000000000000000000000000000000000000000000000000000000000
NL='
'

bad=0
pass() { printf '相符 ok    %s\n' "$1"; }
fail() {
  printf '不符 FAIL  %s\n' "$1"
  bad=1
  return 1
}
# check WHAT COMMAND...: one line a check.
check() {
  what=$1
  shift
  if "$@"; then pass "$what"; else fail "$what"; fi
}
# expect FILE...: names the files that belong here; each must be a regular file.
expect() {
  for each in "$@"; do
    expected="$expected$each "
    { [ -f "$each" ] && [ ! -h "$each" ]; } || fail "$each: 缺失 missing"
  done
}
# hex FILE OFFSET COUNT
hex() { printf '%s' $(od -An -v -tx1 -j "$2" -N "$3" "$1" 2>/dev/null); }
# number FILE OFFSET COUNT: little-endian.
number() {
  digits=
  for byte in $(od -An -v -tx1 -j "$2" -N "$3" "$1" 2>/dev/null); do digits=$byte$digits; done
  echo $((0x${digits:-0}))
}
sha() {
  set -- $(sha256sum 2>/dev/null <"$1")
  echo "${1-}"
}
# ends_at FILE SIZE
ends_at() { [ -n "$(hex "$1" $(($2 - 1)) 1)" ] && [ -z "$(hex "$1" "$2" 1)" ]; }
# reached: as many valid signatures as the threshold.
reached() { [ "$threshold" -ge 1 ] && [ "$valid" -ge "$threshold" ]; }
is_root() { [ "$1" = "$root" ] || [ "$1" = "$print" ]; }
# hall FILE OFFSET: a hall as it is printed.
hall() {
  code=$(number "$1" "$2" 8)
  printf '%d-%02d' $((code / 100)) $((code % 100))
}
# signed_by PEM FILE SIGNATURE
signed_by() {
  openssl pkeyutl -verify -pubin -inkey "$1" -rawin -in "$2" -sigfile "$3" >/dev/null 2>&1
}
# pem FILE OFFSET: the 32 bytes there as the PEM of an Ed25519 key (DER 302a300506032b6570032100 in front).
pem() {
  echo '-----BEGIN PUBLIC KEY-----'
  {
    printf '\060\052\060\005\006\003\053\145\160\003\041\000'
    dd if="$1" bs=1 skip="$2" count=32 2>/dev/null
  } | openssl base64
  echo '-----END PUBLIC KEY-----'
}
is_pem() { pem "$1" "$2" | cmp -s - "$3"; }
# unit DIVISION: what the code is divided by to leave the digits that say something.
unit() {
  if [ $(($1 % 1000)) -ne 0 ]; then echo 1
  elif [ $(($1 % 1000000)) -ne 0 ]; then echo 1000
  elif [ $(($1 % 100000000)) -ne 0 ]; then echo 1000000
  else echo 100000000; fi
}
covers() { [ $(($1 / $(unit "$1"))) -eq $(($2 / $(unit "$1"))) ]; }
# above DIVISION DIVISION: the first is of a higher tier and contains the second.
above() { [ "$(unit "$1")" -gt "$(unit "$2")" ] && covers "$1" "$2"; }
# fingerprint HEX: 20 bytes in Crockford's base 32.
fingerprint() {
  from=1
  text=
  while [ $from -le 40 ]; do
    bits=$((0x$(printf '%s' "$1" | cut -c "$from-$((from + 4))")))
    for shift in 15 10 5 0; do
      place=$(((bits >> shift & 31) + 1))
      text=$text$(printf '%s' 0123456789ABCDEFGHJKMNPQRSTVWXYZ | cut -c "$place")
    done
    text=$text-
    from=$((from + 5))
  done
  printf '%s' "${text%-}"
}
# lookup KEY LIST: LIST is " key=value key=value ".
lookup() {
  case $2 in *" $1="*)
    rest=${2#*" $1="}
    echo "${rest%% *}"
    ;;
  esac
}
word() {
  case $1 in
  1) echo receive ;; 2) echo transfer ;; 3) echo take ;; 4) echo resume ;; 5) echo accept ;;
  6) echo request-correction ;; 7) echo supplement ;; 8) echo decide ;; 9) echo deliver ;;
  *) echo unknown ;;
  esac
}

case $(openssl pkeyutl -help 2>&1) in
*-rawin*) ;;
*)
  echo '需要 OpenSSL 3.0 或更新版本。OpenSSL 3.0 or newer is needed.' >&2
  exit 3
  ;;
esac
for tool in sha256sum cmp od dd cut; do
  command -v $tool >/dev/null 2>&1 || {
    echo "缺少 $tool。$tool is missing." >&2
    exit 3
  }
done

expected=' '
expect README.txt verify.sh case.json
check 'README.txt: 未改动 unchanged' [ "$(sha README.txt)" = @README_SHA256@ ]

# 根策略。The root policy: record of kind 0, issued by the root itself.
policy=root/policy.signed
expect $policy
check "$policy: 是城市根策略 is a root policy" \
  [ "$(hex $policy 0 32) $(hex $policy 32 5) $(hex $policy 82 4)" = "$RECORD 0100000000 00000000" ]
city=$(number $policy 86 8)
name=$(number $policy 94 8)
{ [ "$name" -ge 0 ] && [ "$name" -le 800 ]; } || name=0
threshold=$(number $policy $((102 + name)) 1)
keys=$(number $policy $((103 + name)) 8)
{ [ "$keys" -ge 1 ] && [ "$keys" -le 16 ]; } || keys=0
valid=0
distinct=' '
holder=0
while [ $holder -lt "$keys" ]; do
  at=$((112 + name + holder * 33))
  expect root/key-$holder.pem
  check "root/key-$holder.pem: 是根策略所列 the policy names it" is_pem $policy $at root/key-$holder.pem
  key=$(hex $policy $at 32)
  case $distinct in *" $key "*) fail "root/key-$holder.pem: 重复 listed twice" ;; esac
  distinct="$distinct$key "
  if [ -e root/policy.$holder.sig ]; then
    expect root/policy.$holder.sig
    check "root/policy.$holder.sig: 签名 signature" signed_by root/key-$holder.pem $policy root/policy.$holder.sig &&
      valid=$((valid + 1))
  fi
  holder=$((holder + 1))
done
check "$policy: $valid/$threshold 签名达到门限 signatures reach the threshold" reached
root=$(sha $policy)
print=$(fingerprint "$root")
if [ $# -ge 1 ]; then
  check "$policy: 是可信的根 is the trusted root" is_root "$1"
fi

# 证书。Charters, root first. KNOWN finds a charter by "hall#incarnation".
known=' '
issuers=' '
reversed=
charters_json=
place=0
for file in charters/*.signed; do
  [ -e "$file" ] || break
  stem=${file%.signed}
  stem=${stem#charters/}
  case $(hex "$file" 33 4) in
  00000000)
    issuer=root
    body=82
    ;;
  01000000)
    issuer="$(hall "$file" 37)#$(number "$file" 45 4)"
    body=94
    ;;
  *)
    issuer=none
    body=82
    ;;
  esac
  self=$(hall "$file" $((body + 4)))
  life=$(number "$file" $((body + 12)) 4)
  division=$(($(number "$file" $((body + 4)) 8) / 100))
  name=$(number "$file" $((body + 16)) 8)
  { [ "$name" -ge 0 ] && [ "$name" -le 800 ]; } || name=0
  parent=none
  key=$((body + 60 + name))
  if [ "$(hex "$file" $((body + 25 + name)) 1)" = 01 ]; then
    parent=$(hall "$file" $((body + 26 + name)))
    key=$((key + 8))
  fi
  expect "$file" "charters/$stem.pem"
  check "$file: 是证书 is a charter" [ "$stem $(hex "$file" 0 33) $(hex "$file" "$body" 4)" = \
    "$(printf '%03d' $place)-$self-$life ${RECORD}01 01000000" ]
  check "charters/$stem.pem: 是证书所列 the charter names it" is_pem "$file" $key "charters/$stem.pem"
  if [ "$issuer" = root ]; then
    by=root
    valid=0
    holder=0
    while [ $holder -lt "$keys" ]; do
      signature=charters/$stem.$holder.sig
      if [ -e "$signature" ]; then
        expect "$signature"
        check "$signature: 签名 signature" signed_by root/key-$holder.pem "$file" "$signature" &&
          valid=$((valid + 1))
      fi
      holder=$((holder + 1))
    done
    check "$file: $valid/$threshold 签名达到门限 signatures reach the threshold" reached
    check "$file: 属于本市 belongs to this city" covers "$city" "$division"
  else
    by=$(lookup "$issuer" "$known")
    expect "charters/$stem.sig"
    check "charters/$stem.sig: 由 $issuer 签发 issued by it" \
      signed_by "charters/${by:-none}.pem" "$file" "charters/$stem.sig"
    superior=${issuer%%-*}
    case $superior in *[!0-9]* | '') superior=1 ;; esac
    check "$file: 签发者是其上级 the issuer is above it" above "$superior" "$division"
    check "$file: 上级一致 its parent is the issuer" [ "$parent" = "${issuer%#*}" ]
  fi
  [ -z "$(lookup "$self#$life" "$known")" ] || fail "$file: 重复 twice"
  known="$known$self#$life=$stem "
  issuers="$issuers$stem=${by:-none} "
  reversed="$stem $reversed"
  charters_json="$charters_json${charters_json:+,$NL}    {\"file\": \"$stem\", \"hall\": \"$self\", \
\"incarnation\": $life, \"issuer\": \"$issuer\", \"sha256\": \"$(sha "$file")\"}"
  place=$((place + 1))
done

# 事件。Events: signed by their halls, chained by their digests.
used=' '
events_json=
previous=$ZERO
count=0
case_id=$(hex events/0000.signed 40 16)
while
  stem=$(printf 'events/%04d' $count)
  [ -e "$stem.signed" ]
do
  file=$stem.signed
  expect "$file" "$stem.sig" "$stem.body"
  signer="$(hall "$file" 72)#$(number "$file" 80 4)"
  charter=$(lookup "$signer" "$known")
  kind=$(word "$(number "$file" 34 2)")
  digest=$(sha "$file")
  sealed=$(sha "$stem.body")
  check "$file: 是事件头 is a header of this case" \
    [ "$(hex "$file" 0 33) $(hex "$file" 40 16)" = "${EVENT}01 $case_id" ]
  check "$file: 长度 length" ends_at "$file" 416
  check "$file: 序号 sequence $count" [ "$(number "$file" 64 4)" = $count ]
  check "$file: 接续前一事件 follows the event before" [ "$(hex "$file" 192 32)" = "$previous" ]
  check "$stem.body: 正文摘要 is the body it names" [ "$(hex "$file" 224 32)" = "$sealed" ]
  check "$stem.sig: $kind, 由 $signer 签署 signed by it" \
    signed_by "charters/${charter:-none}.pem" "$file" "$stem.sig"
  used="$used${charter:-none} "
  events_json="$events_json${events_json:+,$NL}    {\"file\": \"${stem#events/}\", \"kind\": \"$kind\", \
\"charter\": \"$charter\", \"wall_ms\": $(number "$file" 112 8), \"body_sha256\": \"$sealed\", \"sha256\": \"$digest\"}"
  previous=$digest
  count=$((count + 1))
done
check "events: 有 $count 条 events" [ $count -gt 0 ]

# 不多不少。Nothing more and nothing less: charters nobody here needs, files that do not belong.
for stem in $reversed; do
  case $used in
  *" $stem "*) used="$used$(lookup "$stem" "$issuers") " ;;
  *) fail "charters/$stem.signed: 多余 nobody here needs it" ;;
  esac
done
length=$(number events/0000.signed 256 1)
[ "$length" -le 50 ] || length=0
number=$(dd if=events/0000.signed bs=1 skip=257 count="$length" 2>/dev/null | cut -c 1-50)
case $number in *[!0-9A-Z-]*) fail 'events/0000.signed: 办件编号 case number' ;; esac
printf '%s\n' "{
  \"format\": 1,
  \"case\": \"$case_id\",
  \"number\": \"$number\",
  \"policy_sha256\": \"$root\",
  \"charters\": [
$charters_json
  ],
  \"events\": [
$events_json
  ]
}" | cmp -s - case.json
check 'case.json: 与已核验的内容一致 agrees with what was checked' [ $? -eq 0 ]
for dir in . root charters events; do
  for file in $dir/* $dir/.[!.]* $dir/..?*; do
    { [ -e "$file" ] || [ -h "$file" ]; } || continue
    file=${file#./}
    case $file in root | charters | events) continue ;; esac
    case $expected in *" $file "*) ;; *) fail "$file: 多余 does not belong here" ;; esac
  done
done

printf '\n根 root       %s\n指纹 print   %s\n末事件 head  %s\n' "$root" "$print" "$previous"
if [ $bad -ne 0 ]; then
  echo '结论：有不符之处，本档案不可信。Verdict: something does not hold; do not rely on this export.'
  exit 1
fi
if [ $# -lt 1 ]; then
  echo '警告：未给出可信的根，任何人都可自造一座城市！请执行: sh verify.sh 根指纹' >&2
  echo 'WARNING: no trusted root was given; anybody can make up a city! Run: sh verify.sh FINGERPRINT' >&2
  exit 2
fi
echo '结论：全部相符。Verdict: all holds.'
