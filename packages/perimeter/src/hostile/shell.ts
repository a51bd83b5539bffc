import { type HostileRule, rule, textRule } from "./rule.ts";
import { ANGLE, BRACE, CONTROL, EQUALS, PAREN, PERCENT, QUOTE, SHELL, SLASH, SPACE, WORD } from "./traits.ts";

/** Programs whose names are no words: any argument behind one makes a command line. */
const STRANGE =
  "aa-(?:disable|exec)|adduser|ansible(?:-\\w+)?|apk|apt(?:-get)?|aptitude(?:-curses)?|awk|base32|base64|basenc|bash|bunzip2|busybox|bzip2|bzcat|c89|c99|capsh|certbot|check_(?:by_ssh|cups|log|memory)|chef-\\w+|chgrp|chmod|chown|chroot|choom|clisp|cobc|cowsay|cpan|cpio|cpulimit|crontab|cscli|csh|curl|cwebp|dig|dmesg|dmidecode|dmsetup|dnf|docker|doas|dosbox|dpkg|easy_install|egrep|emacs|espeak|exiftool|expr|facter|fgrep|flock|fping|ftp|gawk|gcc[\\d.-]*|gcore|gdb|genisoimage|getfacl|ghci?|gimp|ginsh|gnuplot|grep|groupmod|gtester|gunzip|gzip|hexdump|hping3|htop|htpasswd|iconv|iftop|ifconfig|iptables|ionice|ip6tables|ipconfig|irb|ispell|journalctl|jjs|jrunscript|jq|ksh|kubectl|last(?:log(?:in)?|comm)|ldconfig|ldd|ln|ls(?:blk|cpu|hw|mod|of|pci|usb|b_release)?|ltrace|lua(?:tex|latex)?|lwp-\\w+|mawk|mkdir|mkfifo|mknod|mlocate|mosquitto|mysql(?:dump\\w*)?|nano|nawk|nc(?:at|\\.traditional|\\.openbsd)?|neofetch|netcat|netkit-ftp|netplan|netstat|ngrok|nmap|nohup|nping|npm|nroff|nsenter|nslookup|openssl|openvpn|openvt|opkg|pdb|pdflatex|perf|perl[\\d.]*|pgrep|php[\\d.-]*|pidstat|pip[\\d.]*|pkexec|pkill|printenv|printf|procmail|psed|psftp|psql|pstree|ptx|pwd|pwsh|python[\\d.]*|qemu\\w*|raku|readelf|redcarpet|restic|rlogin|rlwrap|rm|rmdir|rmt(?:-\\w+)?|rpm(?:db|query|verify)?|rsync|rtorrent|run-(?:mailcap|parts)|rview|rvim|scp|scrot|sdiff|sed|setarch|setfacl|setsid|sftp|sh|shuf|slsh|smbclient|socat|sqlite3|ss-\\w+|ssh(?:-\\w+|pass)?|start-stop-daemon|stdbuf|strace|sudo|svn|sysctl|systemctl|tac|taskset|tclsh|tcpdump|tcsh|telnet|tftp|tmux|traceroute6?|tshark|uname|uncompress|unexpand|uniq|unlzma|unrar|unset|unshare|unxz|unzip|unzstd|useradd|userdel|usermod|uudecode|uuencode|valgrind|vigr|vimdiff|vipw|virsh|visudo|wget|whoami|wireshark|wpscan|xargs|xdotool|xelatex|xmodmap|xmore|xterm|xxd|xz\\w*|yum|zathura|zcat|zcmp|zdiff|zegrep|zfgrep|zgrep|zip|zless|zmore|zrun|zsh|zsoelim|zstd\\w*|zypper";
/** Programs whose names are words as well: a command line only behind a separator, or with a flag or a path. */
const WORDY =
  "alias|arch|arj|arp|as|ash|at|atobm|batch|bg|bridge|bundle|cancel|cat|cd|chfn|chsh|cmp|column|comm|cp|csplit|cut|date|dd|df|diff|done|du|ed|env|eqn|ex|exec|export|eval|expand|expect|fetch|fg|file|find|fmt|fold|for|free|function|gem|git|go|grc|groups|head|history|host|hostname|hostid|id|install|ip|jobs|join|kill(?:all)?|latex|less|logname|logsave|look|lp|mail|make|man|mount|more|mtr|mutt|mv|nasm|nft|nice|nl|nm|od|paste|patch|pax|ping6?|pg|pico|pr|pushd|read|rename|repeat|replace|rev|route|script|screen|service|set|setenv|sg|shutdown|sleep|sort|source|split|ss|stat|tail|tar|task|tasklist|tbl|tee|tex|time|timedatectl|timeout|tic|top|touch|trap|troff|tset|type|uptime|view|vi|vim|volatility|w|wall|watch|wc|whereis|whiptail|who|write|xpad|zone|node|julia|ruby[\\d.]*|strings|dash|java|snap|socket|rake|octave|composer|finger|dialog|highlight|puppet|posh|lynx|rc|su|ps|ul|sash|wish|yelp|yarn|passwd";

/**
 * Command lines. `|` divides system and code in a FHIR token and encloses terms in SNOMED expressions, so a pipe counts
 * only between blanks and before a command with arguments; `$` begins the names of operations.
 */
export const SHELL_RULES: readonly HostileRule[] = Object.freeze([
  textRule(
    "shell/substitution",
    "a shell would run what stands inside",
    SHELL | ANGLE,
    /\$\(\(?|\$\{\s*(?:(?:shell|path|home|ifs|pwd|user|hostname|random|bash\w*)\}|[a-z_]\w*[:%#/!])|[<>]\([a-z./]|`[^`]{0,20}\b(?:\w+<<<|[a-z]{2,12}\s+[-/]|id`|ls`|whoami`|pwd`)|\$\{?ifs\b|<<<\s*\S/,
  ),
  textRule("shell/function", "a function in an environment variable (Shellshock)", PAREN, /(?:^|[\s;=:])\(\s*\)\s*\{/),
  rule("shell/command-behind-separator", "a second command behind a separator", SHELL | CONTROL, ({ unquoted }) =>
    BEHIND.test(unquoted),
  ),
  rule("shell/command-line", "a value that is a command with its arguments", SPACE | SLASH, ({ unquoted }) =>
    LINE.test(unquoted),
  ),
  textRule(
    "shell/program-path",
    "a program named by its path",
    SLASH,
    /(?:^|[^\w.-])\/?(?:usr\/(?:local\/)?)?s?bin\/(?!fhir)[a-z[\]?*]{1,20}(?:\W|$)(?<!\/bin\/\d*)|\/bi?\[?n?\]?n?\/(?:ba)?sh\b|\/bi\[/,
  ),
  textRule(
    "shell/device",
    "a device of the operating system",
    SLASH,
    /\/dev\/(?:tcp|udp|null|zero|sd[a-z]|stdin|stdout|fd|random|urandom|shm)\b/,
  ),
  textRule(
    "shell/definition",
    "an alias or a trap changes what later commands do",
    EQUALS | SPACE | QUOTE,
    /\balias\s+(?:[-+][\w+]{1,5}\s+)?['"]?\w{1,30}['"]?\s*=\s*['"\w]|\balias\s+[-+][\w+]{1,5}\s+\w+=|\btrap\s+['"].{1,100}['"]\s+\w/,
  ),
  textRule(
    "shell/expansion",
    "an expansion hides a word or names a directory",
    SHELL | BRACE,
    /^~[+-]\d*$|[a-z]\{[a-z0-9/.-]*,[a-z0-9/.,-]*\}[a-z]|\{,[a-z0-9,./-]+\}|\{[a-z]+,-[a-z]+\}/,
  ),
  textRule(
    "shell/windows",
    "a command line of Windows",
    PERCENT | SPACE | SLASH,
    /%(?:systemdrive|systemroot|windir|comspec|appdata|programfiles|temp)%|\bcmd(?:\.exe)?\s+\/[ck]\b|\bpowershell(?:\.exe)?\s+-|\btype\s+[a-z]:\\/,
  ),
  textRule(
    "shell/command-alone",
    "a command that only an attacker sends",
    WORD,
    /^(?:visudo|whoami|ifconfig|ipconfig)\s*$/,
  ),
]);

const ARGUMENTS = "(?:\\s+[-+/~.$]\\S|\\s+\\S*[/.]\\S|\\s+\\w+\\s*[|;&>]|\\s*[|;&><]|\\s*$)";
const BEHIND = new RegExp(
  `(?:[;\\n\`(]|&&|\\|\\||(?<=\\s)&|(?<=\\s)\\||^\\||\\||&)\\s*\\(?(?:\\$\\w\\s+)?(?:` +
    `(?<=[;\\n\`(&]\\s*\\(?|\\|\\s+|\\|\\$\\w\\s+|\\|\\|\\s*)(?:${STRANGE})(?=\\s+\\S|[|;&<>)]|\\s*$)` +
    `|(?<=[;\\n]\\s*|&&\\s*|\\|\\|\\s*)(?:${WORDY})${ARGUMENTS}` +
    `|(?<=\\s\\|\\s+)(?:${WORDY})(?:\\s+-\\w|\\s+\\/\\w))`,
);
const LINE = new RegExp(
  `^\\s*(?:time\\s+|nohup\\s+|sudo\\s+|\\$\\(\\(\\d+\\)\\)\\w*\\s+)?(?:(?:${STRANGE})(?:\\s+-{1,2}\\w|\\s+\\/?\\w[\\w.-]*\\/|\\s+\\.|\\s+\\w+\\s+-\\w|\\s*\\|\\s*\\w+|\\s+https?:)|(?:${WORDY})(?:\\s+-{1,2}[a-z]\\w*\\s|\\s+\\/[a-z]+\\/))` +
    "|^\\s*(?:aa-\\w+\\s+[\\w-]+$)|^\\s*(?:ls|strace|nohup|ltrace|ansible-\\w+|chef-\\w+|cscli|wget|curl|chmod|chown|rm|mkdir|sudo)\\s+[a-z]\\w*(?:\\s|$|\\.)|-wrapper\\s+sh|^\\s*(?:time\\s+)?sh\\s+-c\\b|\\|\\s*(?:ba|z|k|c)?sh\\s*$",
);
