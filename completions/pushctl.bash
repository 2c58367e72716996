# bash completion for pushctl
# Generated from the commands by `python3 dev.py generate`; do not edit.

# Each table answers in REPLY, and fails where it has no answer.

_pushctl_below() {
    case $1 in
        '') REPLY='demo init send explain check tokens bounces channels topics runs config completion help simulate' ;;
        'tokens') REPLY='check' ;;
        'bounces') REPLY='report list tokens follow' ;;
        'channels') REPLY='create list show delete' ;;
        'topics') REPLY='subscribe unsubscribe' ;;
        'runs') REPLY='list show resume check prune' ;;
        'config') REPLY='show path schema' ;;
        *) return 1 ;;
    esac
}

_pushctl_options() {
    case $1 in
        '') REPLY='--version --quiet --verbose --color --progress --no-input --config --debug --help' ;;
        'demo') REPLY='--folder --quiet --verbose --color --progress --no-input --config --debug --help' ;;
        'init') REPLY='--service --environment --topic --key-file --key-id --team-id --certificate-file --service-account-file --project-id --quiet --verbose --color --progress --no-input --config --debug --help' ;;
        'send') REPLY='--token --fid --platform --profiles --profile --tokens --format --fcm-topic --fcm-condition --apns-channel --where --suppress --title --subtitle --body --badge --sound --image --data --collapse-id --ttl --priority --push-type --thread-id --category --interruption-level --relevance-score --critical --volume --message --payload --live-activity --content-state --stale-date --dismissal-date --attributes-type --attributes --input-push-token --input-push-channel --live-activity-token --credential --campaign --dry-run --validate-only --concurrency --connections --rate --retry-for --timeout --on-unknown --stop-if --canary --bounce-log --bounce-log-max-size --mask-tokens --run --max-duration --keep-duplicates --allow-endpoint --yes --confirm --output --fail-on --fail-if-empty --quiet --verbose --color --progress --no-input --config --debug --help' ;;
        'explain') REPLY='--search --service --output --quiet --verbose --color --progress --no-input --config --debug --help' ;;
        'check') REPLY='--offline --fail-on --timeout --allow-endpoint --output --quiet --verbose --color --progress --no-input --config --debug --help' ;;
        'tokens') REPLY='--help' ;;
        'tokens check') REPLY='--format --platform --message --require-consent --lines --output --quiet --verbose --color --progress --no-input --config --debug --help' ;;
        'bounces') REPLY='--help' ;;
        'bounces report') REPLY='--by --since --until --campaign --run --service --reason --opens --sql --mask-tokens --strict --output --quiet --verbose --color --progress --no-input --config --debug --help' ;;
        'bounces list') REPLY='--since --until --campaign --run --service --reason --limit --fields --mask-tokens --strict --output --quiet --verbose --color --progress --no-input --config --debug --help' ;;
        'bounces tokens') REPLY='--registered --format --suspect --since --until --campaign --run --service --reason --mask-tokens --strict --output --quiet --verbose --color --progress --no-input --config --debug --help' ;;
        'bounces follow') REPLY='--lines --campaign --run --service --reason --mask-tokens --output --quiet --verbose --color --progress --no-input --config --debug --help' ;;
        'channels') REPLY='--help' ;;
        'channels create') REPLY='--storage --credential --dry-run --timeout --allow-endpoint --output --quiet --verbose --color --progress --no-input --config --debug --help' ;;
        'channels list') REPLY='--credential --timeout --allow-endpoint --output --quiet --verbose --color --progress --no-input --config --debug --help' ;;
        'channels show') REPLY='--credential --timeout --allow-endpoint --output --quiet --verbose --color --progress --no-input --config --debug --help' ;;
        'channels delete') REPLY='--yes --credential --dry-run --timeout --allow-endpoint --output --quiet --verbose --color --progress --no-input --config --debug --help' ;;
        'topics') REPLY='--help' ;;
        'topics subscribe') REPLY='--token --fid --tokens --profiles --profile --format --where --suppress --credential --one-by-one --dry-run --retry-for --timeout --allow-endpoint --output --quiet --verbose --color --progress --no-input --config --debug --help' ;;
        'topics unsubscribe') REPLY='--token --fid --tokens --profiles --profile --format --where --suppress --credential --one-by-one --dry-run --retry-for --timeout --allow-endpoint --output --quiet --verbose --color --progress --no-input --config --debug --help' ;;
        'runs') REPLY='--help' ;;
        'runs list') REPLY='--output --quiet --verbose --color --progress --no-input --config --debug --help' ;;
        'runs show') REPLY='--mask-tokens --output --quiet --verbose --color --progress --no-input --config --debug --help' ;;
        'runs resume') REPLY='--retry-failed --on-unknown --output --fail-on --quiet --verbose --color --progress --no-input --config --debug --help' ;;
        'runs check') REPLY='--quiet --verbose --color --progress --no-input --config --debug --help' ;;
        'runs prune') REPLY='--older-than --quiet --verbose --color --progress --no-input --config --debug --help' ;;
        'config') REPLY='--help' ;;
        'config show') REPLY='--output --allow-endpoint --quiet --verbose --color --progress --no-input --config --debug --help' ;;
        'config path') REPLY='--output --quiet --verbose --color --progress --no-input --config --debug --help' ;;
        'config schema') REPLY='--message --profiles --quiet --verbose --color --progress --no-input --config --debug --help' ;;
        'completion') REPLY='--quiet --verbose --color --progress --no-input --config --debug --help' ;;
        'help') REPLY='--quiet --verbose --color --progress --no-input --config --debug --help' ;;
        'simulate') REPLY='--port --host --folder --environment --topic --key-file --key-id --team-id --certificate --service-account --scenario --answer --delay --max-streams --record --page --page-port --schema --output --quiet --verbose --color --progress --no-input --config --debug --help' ;;
        *) return 1 ;;
    esac
}

# What stands behind an option of a command; the option takes no value where this fails.
_pushctl_value() {
    case $1 in
        *:--topic | *:--key-id | *:--team-id | *:--project-id | *:--token | *:--fid | *:--profile | 'bounces tokens:--format' | *:--fcm-topic | *:--fcm-condition | *:--apns-channel | *:--where | *:--title | *:--subtitle | *:--body | *:--badge | *:--sound | *:--image | *:--data | *:--collapse-id | *:--ttl | *:--thread-id | *:--category | *:--relevance-score | *:--volume | *:--stale-date | *:--dismissal-date | *:--attributes-type | *:--input-push-channel | *:--live-activity-token | *:--campaign | 'bounces list:-n' | 'bounces follow:-n' | *:--concurrency | *:--connections | *:--rate | *:--retry-for | *:--timeout | *:--stop-if | *:--canary | *:--bounce-log-max-size | *:--run | *:--max-duration | *:--allow-endpoint | *:--confirm | *:--search | *:--lines | *:--by | *:--since | *:--until | *:--limit | *:--fields | *:--older-than | *:--port | *:--host | *:--answer | *:--delay | *:--max-streams | *:--page-port) REPLY='any' ;;
        *:--credential) REPLY='credentials' ;;
        *:--config | *:--key-file | *:--certificate-file | *:--service-account-file | 'send:--profiles' | 'topics subscribe:--profiles' | 'topics unsubscribe:--profiles' | *:--tokens | *:--suppress | 'send:--message' | 'tokens check:--message' | *:--payload | *:--content-state | *:--attributes | *:--bounce-log | *:--opens | *:--registered | *:--certificate | *:--service-account | *:--scenario | *:--record) REPLY='file' ;;
        *:--folder) REPLY='folder' ;;
        *:--reason) REPLY='reasons' ;;
        *:--push-type) REPLY='words alert background complication controls fileprovider liveactivity location mdm pushtotalk voip widgets' ;;
        'init:--service' | 'bounces report:--service' | 'bounces list:--service' | 'bounces tokens:--service' | 'bounces follow:--service') REPLY='words apns fcm' ;;
        'explain:--service') REPLY='words apns fcm google oauth pushctl' ;;
        *:--color) REPLY='words auto always never' ;;
        *:--progress) REPLY='words auto plain never' ;;
        'send:--fail-on' | 'runs resume:--fail-on') REPLY='words bounced faulty never' ;;
        'bounces tokens:-o' | 'bounces tokens:--output') REPLY='words csv jsonl' ;;
        'check:--fail-on') REPLY='words fail warn' ;;
        *:--priority) REPLY='words high normal low' ;;
        *:--platform) REPLY='words ios android web' ;;
        *:--on-unknown) REPLY='words keep resend' ;;
        *:--storage) REPLY='words none last' ;;
        *:--interruption-level) REPLY='words passive active time-sensitive critical' ;;
        *:--environment) REPLY='words production sandbox' ;;
        *:--live-activity) REPLY='words start update end' ;;
        'config show:-o' | 'config path:-o' | 'config show:--output' | 'config path:--output') REPLY='words table json' ;;
        'tokens check:-o' | 'tokens check:--output') REPLY='words table json csv github' ;;
        'bounces report:-o' | 'bounces report:--output') REPLY='words table json csv markdown html' ;;
        'send:-o' | 'bounces list:-o' | 'channels create:-o' | 'channels list:-o' | 'channels show:-o' | 'channels delete:-o' | 'topics subscribe:-o' | 'topics unsubscribe:-o' | 'runs list:-o' | 'runs resume:-o' | 'send:--output' | 'bounces list:--output' | 'channels create:--output' | 'channels list:--output' | 'channels show:--output' | 'channels delete:--output' | 'topics subscribe:--output' | 'topics unsubscribe:--output' | 'runs list:--output' | 'runs resume:--output') REPLY='words table json jsonl csv' ;;
        'runs show:-o' | 'runs show:--output') REPLY='words table json jsonl csv html' ;;
        'check:-o' | 'check:--output') REPLY='words table json junit github' ;;
        'explain:-o' | 'explain:--output') REPLY='words table json markdown' ;;
        'bounces follow:-o' | 'simulate:-o' | 'bounces follow:--output' | 'simulate:--output') REPLY='words table jsonl' ;;
        'send:--format' | 'tokens check:--format' | 'topics subscribe:--format' | 'topics unsubscribe:--format') REPLY='words txt csv tsv jsonl parquet yaml json' ;;
        *) return 1 ;;
    esac
}

_pushctl_argument() {
    case $1 in
        'init') REPLY='folder' ;;
        'explain') REPLY='reasons' ;;
        'check') REPLY='credentials' ;;
        'tokens check') REPLY='file' ;;
        'bounces report') REPLY='any' ;;
        'bounces list') REPLY='any' ;;
        'bounces tokens') REPLY='any' ;;
        'bounces follow') REPLY='file' ;;
        'channels show') REPLY='any' ;;
        'channels delete') REPLY='any' ;;
        'topics subscribe') REPLY='any' ;;
        'topics unsubscribe') REPLY='any' ;;
        'runs show') REPLY='runs' ;;
        'runs resume') REPLY='runs' ;;
        'runs check') REPLY='runs' ;;
        'completion') REPLY='words bash zsh fish powershell' ;;
        'help') REPLY='any' ;;
        *) return 1 ;;
    esac
}

_pushctl_reasons='ACCESS_TOKEN_EXPIRED ACCESS_TOKEN_SCOPE_INSUFFICIENT ACCESS_TOKEN_TYPE_UNSUPPORTED ACCOUNT_STATE_INVALID ALREADY_EXISTS BILLING_DISABLED BadAuthorizationHeader BadCertificate BadCertificateEnvironment BadChannelId BadCollapseId BadDate BadDeviceToken BadEnvironmentKeyIdInToken BadExpirationDate BadJwtToken BadMessageId BadPath BadPriority BadProviderToken BadRequestParams BadRequestPayload BadTopic BadTtl BadUrgency BadVapidPublicKey BadWebPushRequest BadWebPushTopic CONSUMER_INVALID CONSUMER_SUSPENDED CREDENTIALS_MISSING CannotCreateChannelConfig ChannelNotRegistered ConnectionLost CredentialsRefused DEADLINE_EXCEEDED DeviceTokenNotForTopic Duplicate DuplicateHeaders ExpiredProviderToken ExpiredToken FAILED_PRECONDITION FeatureNotEnabled Forbidden GCP_SUSPENDED IAM_PERMISSION_DENIED INTERNAL INVALID_ARGUMENT IdleTimeout InternalServerError Interrupted InvalidProviderToken InvalidPushType InvalidToken JWT_TOKEN_INVALID MethodNotAllowed MissingAttribute MissingChannelId MissingChannelQueueSize MissingDeviceToken MissingProviderToken MissingPushType MissingToken MissingTopic NOT_FOUND NoAnswer NoConsent NoCredential NotInSegment NotProcessed NotReached OUT_OF_RANGE PERMISSION_DENIED PayloadEmpty PayloadTooLarge QUOTA_EXCEEDED RATE_LIMIT_EXCEEDED RESOURCE_EXHAUSTED RESOURCE_QUOTA_EXCEEDED SECURITY_POLICY_VIOLATED SENDER_ID_MISMATCH SERVICE_DISABLED ServiceUnavailable Shutdown Stopped Suppressed THIRD_PARTY_AUTH_ERROR TOO_MANY_TOPICS TooManyProviderTokenUpdates TooManyRequests TopicDisallowed TopicMismatch UNAUTHENTICATED UNAVAILABLE UNKNOWN UNREGISTERED UNSPECIFIED_ERROR USER_PROJECT_DENIED Unregistered UnrelatedKeyIdInToken VapidPkHashMismatch account_not_found alpn_no_h2 bad_audience bad_signature clock_or_lifetime connect_refused_or_timeout deleted_client disabled_client empty_scope exp_missing goaway_before_any_request goaway_with_reason iat_missing invalid_client malformed_assertion non_json_error_body policy refresh_token_revoked response_timeout server_side stream_reset tls_client_cert_rejected tls_verify_failed unauthorized_client unknown_scope_gives_id_token unsupported_grant'

# Offers the words behind $1 that begin with $1.  What a file says is quoted, never run.
_pushctl_offer() {
    local begun=$1 word
    shift
    for word in "$@"; do
        if [[ $word == "$begun"* ]]; then
            COMPREPLY+=("$(printf '%q' "$word")")
        fi
    done
}

# Offers what is of the kind $2 (and its words) and begins with $1.
_pushctl_offer_kind() {
    local begun=$1 kind=$2 IFS=$' \t\n' word
    local -a found=()
    case $kind in
        words\ *) _pushctl_offer "$begun" ${kind#words } ;;
        reasons) _pushctl_offer "$begun" $_pushctl_reasons ;;
        file) compopt -o default 2>/dev/null || _pushctl_paths -f "$begun" ;;
        folder) compopt -o dirnames 2>/dev/null || _pushctl_paths -d "$begun" ;;
        credentials | runs)
            while IFS= read -r word; do
                found+=("$word")
            done < <(command pushctl __complete "$kind" "${words[@]:1}" 2>/dev/null)
            _pushctl_offer "$begun" ${found[@]+"${found[@]}"}
            ;;
    esac
}

# For bash 3.2, which has no compopt.
_pushctl_paths() {
    local path
    while IFS= read -r path; do
        COMPREPLY+=("$path")
    done < <(compgen "$1" -- "$2")
}

_pushctl() {
    local IFS=$' \t\n' REPLY='' word current at='' waiting='' glue='' index
    local -a words=()
    COMPREPLY=()
    # bash splits words at = and :, and hands these over as words of their own.
    for ((index = 0; index <= COMP_CWORD; index++)); do
        word=${COMP_WORDS[index]}
        if ((index > 1)) && [[ $glue || $word == = || $word == : ]]; then
            words[${#words[@]} - 1]+=$word
            glue=''
            [[ $word == = || $word == : ]] && glue=1
        else
            words+=("$word")
        fi
    done
    current=${words[${#words[@]} - 1]}
    for ((index = 1; index < ${#words[@]} - 1; index++)); do
        word=${words[index]}
        if [[ $waiting ]]; then
            waiting=''
        elif [[ $word == --*=* ]]; then
            :
        elif [[ $word == -* ]]; then
            _pushctl_value "$at:$word" && waiting=$word
        elif _pushctl_below "$at" && [[ " $REPLY " == *" $word "* ]]; then
            at=${at:+$at }$word
        fi
    done
    if [[ $waiting ]]; then
        _pushctl_value "$at:$waiting" && _pushctl_offer_kind "$current" "$REPLY"
    elif [[ $current == --*=* ]]; then
        _pushctl_value "$at:${current%%=*}" && _pushctl_offer_kind "${current#*=}" "$REPLY"
    elif [[ $current == -* ]]; then
        _pushctl_options "$at" && _pushctl_offer "$current" $REPLY
    elif _pushctl_below "$at"; then
        _pushctl_offer "$current" $REPLY
    elif _pushctl_argument "$at"; then
        _pushctl_offer_kind "$current" "$REPLY"
    fi
    return 0
}

complete -F _pushctl pushctl
