# fish completion for pushctl
# Generated from the commands by `python3 dev.py generate`; do not edit.

# Prints the command on the line so far, without options and what belongs to them.
function __pushctl_command
    set -l words (commandline -opc)
    set -e words[1]
    set -l at
    set -l waiting 0
    for word in $words
        if test $waiting = 1
            set waiting 0
            continue
        end
        switch $word
            case '--*=*'
                continue
            case '-*'
                __pushctl_takes_value "$at:$word"; and set waiting 1
                continue
        end
        if contains -- $word (__pushctl_below "$at")
            set at (string join ' ' -- $at $word)
        end
    end
    string join ' ' -- $at
    true
end

function __pushctl_below
    switch $argv[1]
        case ''
            printf '%s\n' demo send explain check tokens runs completion help simulate
        case 'tokens'
            printf '%s\n' check
        case 'runs'
            printf '%s\n' list show resume check prune
    end
end

function __pushctl_takes_value
    switch $argv[1]
        case '*:--allow-endpoint' '*:--answer' '*:--badge' '*:--body' '*:--bounce-log' '*:--bounce-log-max-size' '*:--campaign' '*:--canary' '*:--category' '*:--collapse-id' '*:--color' '*:--concurrency' '*:--config' '*:--confirm' '*:--connections' '*:--credential' '*:--data' '*:--delay' '*:--environment' '*:--fcm-condition' '*:--fcm-topic' '*:--folder' '*:--format' '*:--host' '*:--image' '*:--key-file' '*:--key-id' '*:--lines' '*:--max-duration' '*:--max-streams' '*:--message' '*:--older-than' '*:--on-unknown' '*:--payload' '*:--platform' '*:--port' '*:--priority' '*:--profile' '*:--profiles' '*:--progress' '*:--push-type' '*:--rate' '*:--retry-for' '*:--run' '*:--search' '*:--service' '*:--service-account' '*:--sound' '*:--stop-if' '*:--subtitle' '*:--suppress' '*:--team-id' '*:--thread-id' '*:--timeout' '*:--title' '*:--token' '*:--tokens' '*:--topic' '*:--ttl' '*:--where' 'check:--fail-on' 'check:--output' 'check:-o' 'explain:--output' 'explain:-o' 'runs list:--output' 'runs list:-o' 'runs resume:--fail-on' 'runs resume:--output' 'runs resume:-o' 'runs show:--output' 'runs show:-o' 'send:--fail-on' 'send:--output' 'send:-o' 'simulate:--output' 'simulate:-o' 'tokens check:--output' 'tokens check:-o'
            return 0
    end
    return 1
end

function __pushctl_at
    set -l at (__pushctl_command)
    test "$at" = "$argv[1]"
end

# Prints what only pushctl knows at the moment: names of credentials, ids of runs.
function __pushctl_from
    set -l words (commandline -opc)
    set -e words[1]
    command pushctl __complete $argv[1] $words 2>/dev/null
end

function __pushctl_reasons
    printf '%s\n' ACCESS_TOKEN_EXPIRED ACCESS_TOKEN_SCOPE_INSUFFICIENT ACCESS_TOKEN_TYPE_UNSUPPORTED ACCOUNT_STATE_INVALID ALREADY_EXISTS BILLING_DISABLED BadAuthorizationHeader BadCertificate BadCertificateEnvironment BadChannelId BadCollapseId BadDate BadDeviceToken BadEnvironmentKeyIdInToken BadExpirationDate BadJwtToken BadMessageId BadPath BadPriority BadProviderToken BadRequestParams BadRequestPayload BadTopic BadTtl BadUrgency BadVapidPublicKey BadWebPushRequest BadWebPushTopic CONSUMER_INVALID CONSUMER_SUSPENDED CREDENTIALS_MISSING CannotCreateChannelConfig ChannelNotRegistered ConnectionLost CredentialsRefused DEADLINE_EXCEEDED DeviceTokenNotForTopic Duplicate DuplicateHeaders ExpiredProviderToken ExpiredToken FAILED_PRECONDITION FeatureNotEnabled Forbidden GCP_SUSPENDED IAM_PERMISSION_DENIED INTERNAL INVALID_ARGUMENT IdleTimeout InternalServerError Interrupted InvalidProviderToken InvalidPushType InvalidToken JWT_TOKEN_INVALID MethodNotAllowed MissingAttribute MissingChannelId MissingChannelQueueSize MissingDeviceToken MissingProviderToken MissingPushType MissingToken MissingTopic NOT_FOUND NoAnswer NoConsent NoCredential NotInSegment NotProcessed NotReached OUT_OF_RANGE PERMISSION_DENIED PayloadEmpty PayloadTooLarge QUOTA_EXCEEDED RATE_LIMIT_EXCEEDED RESOURCE_EXHAUSTED RESOURCE_QUOTA_EXCEEDED SECURITY_POLICY_VIOLATED SENDER_ID_MISMATCH SERVICE_DISABLED ServiceUnavailable Shutdown Stopped Suppressed THIRD_PARTY_AUTH_ERROR TooManyProviderTokenUpdates TooManyRequests TopicDisallowed TopicMismatch UNAUTHENTICATED UNAVAILABLE UNREGISTERED UNSPECIFIED_ERROR USER_PROJECT_DENIED Unregistered UnrelatedKeyIdInToken VapidPkHashMismatch account_not_found alpn_no_h2 bad_audience bad_signature clock_or_lifetime connect_refused_or_timeout deleted_client disabled_client empty_scope exp_missing goaway_before_any_request goaway_with_reason iat_missing invalid_client malformed_assertion non_json_error_body policy refresh_token_revoked response_timeout server_side stream_reset tls_client_cert_rejected tls_verify_failed unauthorized_client unknown_scope_gives_id_token unsupported_grant
end

complete -c pushctl -f

complete -c pushctl -n '__pushctl_at \'\'' -a demo -d 'Send to a mixed audience through a built-in simulator of APNs and FCM.'
complete -c pushctl -n '__pushctl_at \'\'' -a send -d 'Send a push to a token, a profile\'s devices, a list of tokens, or an FCM topic.'
complete -c pushctl -n '__pushctl_at \'\'' -a explain -d 'Say what a reason means, why it happens and what to do; offline.'
complete -c pushctl -n '__pushctl_at \'\'' -a check -d 'Check push credentials without any device: offline, then with the service itself.'
complete -c pushctl -n '__pushctl_at \'\'' -a tokens -d 'Look at push tokens in audience files.'
complete -c pushctl -n '__pushctl_at \'\'' -a runs -d 'The runs in the state folder.'
complete -c pushctl -n '__pushctl_at \'\'' -a completion -d 'Print the script that completes pushctl\'s commands in a shell.'
complete -c pushctl -n '__pushctl_at \'\'' -a help -d 'Show the help of a command, or of a topic.'
complete -c pushctl -n '__pushctl_at \'\'' -a simulate -d 'Serve a fake APNs, FCM and Google token endpoint on loopback.'
complete -c pushctl -n '__pushctl_at \'\'' -s V -l version -d 'Show the version.'
complete -c pushctl -n '__pushctl_at \'\'' -s q -l quiet -d 'Only results and failures; twice: nothing but the exit code.'
complete -c pushctl -n '__pushctl_at \'\'' -s v -l verbose -d 'One line a push; twice: the wire, secrets masked.'
complete -c pushctl -n '__pushctl_at \'\'' -l color -x -a 'auto always never' -d 'When to use colour.'
complete -c pushctl -n '__pushctl_at \'\'' -l progress -x -a 'auto plain never' -d 'How to show progress on stderr.'
complete -c pushctl -n '__pushctl_at \'\'' -l no-input -d 'Never ask; fail instead.'
complete -c pushctl -n '__pushctl_at \'\'' -l config -r -F -d 'The pushctl.yaml to use instead of the nearest one.'
complete -c pushctl -n '__pushctl_at \'\'' -l debug -d 'Show the traceback of an internal error.'
complete -c pushctl -n '__pushctl_at \'\'' -s h -l help -d 'Show this help.'
complete -c pushctl -n '__pushctl_at \'demo\'' -l folder -x -a '(__fish_complete_directories)' -d 'Where to leave its files (a new pushctl-demo).'
complete -c pushctl -n '__pushctl_at \'demo\'' -s q -l quiet -d 'Only results and failures; twice: nothing but the exit code.'
complete -c pushctl -n '__pushctl_at \'demo\'' -s v -l verbose -d 'One line a push; twice: the wire, secrets masked.'
complete -c pushctl -n '__pushctl_at \'demo\'' -l color -x -a 'auto always never' -d 'When to use colour.'
complete -c pushctl -n '__pushctl_at \'demo\'' -l progress -x -a 'auto plain never' -d 'How to show progress on stderr.'
complete -c pushctl -n '__pushctl_at \'demo\'' -l no-input -d 'Never ask; fail instead.'
complete -c pushctl -n '__pushctl_at \'demo\'' -l config -r -F -d 'The pushctl.yaml to use instead of the nearest one.'
complete -c pushctl -n '__pushctl_at \'demo\'' -l debug -d 'Show the traceback of an internal error.'
complete -c pushctl -n '__pushctl_at \'demo\'' -s h -l help -d 'Show this help.'
complete -c pushctl -n '__pushctl_at \'send\'' -l token -x -d 'A push token; repeatable.'
complete -c pushctl -n '__pushctl_at \'send\'' -l platform -x -d 'ios or android, where the token does not tell.'
complete -c pushctl -n '__pushctl_at \'send\'' -l profiles -r -F -d 'Profiles: .yaml, .json or .jsonl.'
complete -c pushctl -n '__pushctl_at \'send\'' -l profile -x -d 'Only this profile; repeatable.'
complete -c pushctl -n '__pushctl_at \'send\'' -l tokens -r -F -d 'Tokens: .txt, .csv, .tsv, .jsonl, each also .gz; - is stdin with --format.'
complete -c pushctl -n '__pushctl_at \'send\'' -l format -x -d 'What stdin holds: txt, csv, tsv, jsonl.'
complete -c pushctl -n '__pushctl_at \'send\'' -l fcm-topic -x -d 'Everyone subscribed to an FCM topic.'
complete -c pushctl -n '__pushctl_at \'send\'' -l fcm-condition -x -d 'A condition over FCM topics.'
complete -c pushctl -n '__pushctl_at \'send\'' -l where -x -d 'Only recipients whose attributes match, such as \'orders >= 3\'.'
complete -c pushctl -n '__pushctl_at \'send\'' -l suppress -r -F -d 'Leave out tokens that a bounce log marks for removal.'
complete -c pushctl -n '__pushctl_at \'send\'' -l title -x -d 'The title.'
complete -c pushctl -n '__pushctl_at \'send\'' -l subtitle -x -d 'The subtitle (iOS).'
complete -c pushctl -n '__pushctl_at \'send\'' -l body -x -d 'The text.'
complete -c pushctl -n '__pushctl_at \'send\'' -l badge -x -d 'The number on the icon; 0 removes it.'
complete -c pushctl -n '__pushctl_at \'send\'' -l sound -x -d 'A sound\'s name, or default.'
complete -c pushctl -n '__pushctl_at \'send\'' -l image -x -d 'An https URL. On iOS the app needs a notification service extension that reads the payload\'s image key.'
complete -c pushctl -n '__pushctl_at \'send\'' -l data -x -d 'Custom data; repeatable.'
complete -c pushctl -n '__pushctl_at \'send\'' -l collapse-id -x -d 'Pushes of one id replace each other.'
complete -c pushctl -n '__pushctl_at \'send\'' -l ttl -x -d 'How long to keep it: seconds, 90s, 15m, 4h, 28d; 0 now only.'
complete -c pushctl -n '__pushctl_at \'send\'' -l priority -x -d 'high, normal or low.'
complete -c pushctl -n '__pushctl_at \'send\'' -l push-type -x -d 'The apns-push-type.'
complete -c pushctl -n '__pushctl_at \'send\'' -l thread-id -x -d 'Groups notifications (iOS).'
complete -c pushctl -n '__pushctl_at \'send\'' -l category -x -d 'Action buttons (iOS).'
complete -c pushctl -n '__pushctl_at \'send\'' -l message -r -F -d 'The message as a YAML or JSON file.'
complete -c pushctl -n '__pushctl_at \'send\'' -l payload -r -F -d 'The service\'s raw payload.'
complete -c pushctl -n '__pushctl_at \'send\'' -l credential -x -a '(__pushctl_from credentials)' -d 'The credential to use, one a service.'
complete -c pushctl -n '__pushctl_at \'send\'' -l campaign -x -d 'Written into every record.'
complete -c pushctl -n '__pushctl_at \'send\'' -s n -l dry-run -d 'Everything but the sending.'
complete -c pushctl -n '__pushctl_at \'send\'' -l validate-only -d 'FCM checks the push and delivers nothing.'
complete -c pushctl -n '__pushctl_at \'send\'' -l concurrency -x -d 'Most requests in flight for a credential.'
complete -c pushctl -n '__pushctl_at \'send\'' -l connections -x -d 'Most connections for a credential.'
complete -c pushctl -n '__pushctl_at \'send\'' -l rate -x -d 'Most pushes a second.'
complete -c pushctl -n '__pushctl_at \'send\'' -l retry-for -x -d 'How long to retry (5m).'
complete -c pushctl -n '__pushctl_at \'send\'' -l timeout -x -d 'How long to wait for an answer (30s).'
complete -c pushctl -n '__pushctl_at \'send\'' -l on-unknown -x -d 'keep (default), or resend and risk duplicates.'
complete -c pushctl -n '__pushctl_at \'send\'' -l stop-if -x -d 'When to stop: \'faulty>8%\' (default), \'unknown>100\', never.'
complete -c pushctl -n '__pushctl_at \'send\'' -l canary -x -d 'How many go first (50); 0 is none.'
complete -c pushctl -n '__pushctl_at \'send\'' -l bounce-log -r -F -d 'The bounce log to append to.'
complete -c pushctl -n '__pushctl_at \'send\'' -l bounce-log-max-size -x -d 'Rotate the bounce log before it grows beyond this, such as 500MB.'
complete -c pushctl -n '__pushctl_at \'send\'' -l mask-tokens -d 'Write masks in place of tokens, to the bounce log and to stdout.'
complete -c pushctl -n '__pushctl_at \'send\'' -l run -x -d 'The id of this run.'
complete -c pushctl -n '__pushctl_at \'send\'' -l max-duration -x -d 'Stop after this time.'
complete -c pushctl -n '__pushctl_at \'send\'' -l keep-duplicates -d 'Send to a token as often as it is listed.'
complete -c pushctl -n '__pushctl_at \'send\'' -l allow-endpoint -x -d 'A host the config may send credentials to.'
complete -c pushctl -n '__pushctl_at \'send\'' -s y -l yes -d 'Do not ask before a bulk send.'
complete -c pushctl -n '__pushctl_at \'send\'' -l confirm -x -d 'The exact number of pushes, for scripts.'
complete -c pushctl -n '__pushctl_at \'send\'' -s o -l output -x -d 'table, json, jsonl or csv.'
complete -c pushctl -n '__pushctl_at \'send\'' -l fail-on -x -d 'What makes exit 1: bounced (default), faulty or never.'
complete -c pushctl -n '__pushctl_at \'send\'' -l fail-if-empty -d 'Exit 1 when nothing was sent.'
complete -c pushctl -n '__pushctl_at \'send\'' -s q -l quiet -d 'Only results and failures; twice: nothing but the exit code.'
complete -c pushctl -n '__pushctl_at \'send\'' -s v -l verbose -d 'One line a push; twice: the wire, secrets masked.'
complete -c pushctl -n '__pushctl_at \'send\'' -l color -x -a 'auto always never' -d 'When to use colour.'
complete -c pushctl -n '__pushctl_at \'send\'' -l progress -x -a 'auto plain never' -d 'How to show progress on stderr.'
complete -c pushctl -n '__pushctl_at \'send\'' -l no-input -d 'Never ask; fail instead.'
complete -c pushctl -n '__pushctl_at \'send\'' -l config -r -F -d 'The pushctl.yaml to use instead of the nearest one.'
complete -c pushctl -n '__pushctl_at \'send\'' -l debug -d 'Show the traceback of an internal error.'
complete -c pushctl -n '__pushctl_at \'send\'' -s h -l help -d 'Show this help.'
complete -c pushctl -n '__pushctl_at \'explain\'' -a '(__pushctl_reasons)'
complete -c pushctl -n '__pushctl_at \'explain\'' -l search -x -d 'List the reasons in whose text each word occurs.'
complete -c pushctl -n '__pushctl_at \'explain\'' -l service -x -a 'apns fcm google oauth pushctl' -d 'Only reasons of this service.'
complete -c pushctl -n '__pushctl_at \'explain\'' -s o -l output -x -d 'table, json or markdown.'
complete -c pushctl -n '__pushctl_at \'explain\'' -s q -l quiet -d 'Only results and failures; twice: nothing but the exit code.'
complete -c pushctl -n '__pushctl_at \'explain\'' -s v -l verbose -d 'One line a push; twice: the wire, secrets masked.'
complete -c pushctl -n '__pushctl_at \'explain\'' -l color -x -a 'auto always never' -d 'When to use colour.'
complete -c pushctl -n '__pushctl_at \'explain\'' -l progress -x -a 'auto plain never' -d 'How to show progress on stderr.'
complete -c pushctl -n '__pushctl_at \'explain\'' -l no-input -d 'Never ask; fail instead.'
complete -c pushctl -n '__pushctl_at \'explain\'' -l config -r -F -d 'The pushctl.yaml to use instead of the nearest one.'
complete -c pushctl -n '__pushctl_at \'explain\'' -l debug -d 'Show the traceback of an internal error.'
complete -c pushctl -n '__pushctl_at \'explain\'' -s h -l help -d 'Show this help.'
complete -c pushctl -n '__pushctl_at \'check\'' -a '(__pushctl_from credentials)'
complete -c pushctl -n '__pushctl_at \'check\'' -l offline -d 'Ask nobody.'
complete -c pushctl -n '__pushctl_at \'check\'' -l fail-on -x -a 'fail warn' -d 'What does not exit with 0.'
complete -c pushctl -n '__pushctl_at \'check\'' -l timeout -x -d 'How long a connection, and then the answer, may take.'
complete -c pushctl -n '__pushctl_at \'check\'' -l allow-endpoint -x -d 'A host besides Apple\'s and Google\'s that may be given credentials.'
complete -c pushctl -n '__pushctl_at \'check\'' -s o -l output -x -a 'table json junit github' -d 'What stdout carries.'
complete -c pushctl -n '__pushctl_at \'check\'' -s q -l quiet -d 'Only results and failures; twice: nothing but the exit code.'
complete -c pushctl -n '__pushctl_at \'check\'' -s v -l verbose -d 'One line a push; twice: the wire, secrets masked.'
complete -c pushctl -n '__pushctl_at \'check\'' -l color -x -a 'auto always never' -d 'When to use colour.'
complete -c pushctl -n '__pushctl_at \'check\'' -l progress -x -a 'auto plain never' -d 'How to show progress on stderr.'
complete -c pushctl -n '__pushctl_at \'check\'' -l no-input -d 'Never ask; fail instead.'
complete -c pushctl -n '__pushctl_at \'check\'' -l config -r -F -d 'The pushctl.yaml to use instead of the nearest one.'
complete -c pushctl -n '__pushctl_at \'check\'' -l debug -d 'Show the traceback of an internal error.'
complete -c pushctl -n '__pushctl_at \'check\'' -s h -l help -d 'Show this help.'
complete -c pushctl -n '__pushctl_at \'tokens\'' -a check -d 'Look at a list before anybody is sent to: malformed tokens, tokens that a log or a spreadsheet damaged, duplicates, tokens of the wrong service, consent that is none, rows that cannot be read, attributes that a message needs. Offline; nothing is sent, and the files stay as they are.'
complete -c pushctl -n '__pushctl_at \'tokens\'' -s h -l help -d 'Show this help.'
complete -c pushctl -n '__pushctl_at \'tokens check\'' -l format -x -d 'What stdin holds: txt, csv, tsv, jsonl, parquet, yaml, json; or with .gz, .zst.'
complete -c pushctl -n '__pushctl_at \'tokens check\'' -l platform -x -d 'ios or android, where a token does not tell.'
complete -c pushctl -n '__pushctl_at \'tokens check\'' -l message -r -F -d 'Also check that this message can be filled for everybody.'
complete -c pushctl -n '__pushctl_at \'tokens check\'' -l require-consent -d 'A file that records no consent is wrong.'
complete -c pushctl -n '__pushctl_at \'tokens check\'' -l lines -x -d 'How many rows of each finding are told; csv has them all.'
complete -c pushctl -n '__pushctl_at \'tokens check\'' -s o -l output -x -d 'table, json, csv or github.'
complete -c pushctl -n '__pushctl_at \'tokens check\'' -s q -l quiet -d 'Only results and failures; twice: nothing but the exit code.'
complete -c pushctl -n '__pushctl_at \'tokens check\'' -s v -l verbose -d 'One line a push; twice: the wire, secrets masked.'
complete -c pushctl -n '__pushctl_at \'tokens check\'' -l color -x -a 'auto always never' -d 'When to use colour.'
complete -c pushctl -n '__pushctl_at \'tokens check\'' -l progress -x -a 'auto plain never' -d 'How to show progress on stderr.'
complete -c pushctl -n '__pushctl_at \'tokens check\'' -l no-input -d 'Never ask; fail instead.'
complete -c pushctl -n '__pushctl_at \'tokens check\'' -l config -r -F -d 'The pushctl.yaml to use instead of the nearest one.'
complete -c pushctl -n '__pushctl_at \'tokens check\'' -l debug -d 'Show the traceback of an internal error.'
complete -c pushctl -n '__pushctl_at \'tokens check\'' -s h -l help -d 'Show this help.'
complete -c pushctl -n '__pushctl_at \'runs\'' -a list -d 'List the runs, newest first.'
complete -c pushctl -n '__pushctl_at \'runs\'' -a show -d 'Show how a run ended: totals and reasons, or every row.'
complete -c pushctl -n '__pushctl_at \'runs\'' -a resume -d 'Go on with a run that ended early: exactly what was not sent, nothing twice.'
complete -c pushctl -n '__pushctl_at \'runs\'' -a check -d 'Prove that a run is sound: checksums, accounting, files.'
complete -c pushctl -n '__pushctl_at \'runs\'' -a prune -d 'Delete old runs.'
complete -c pushctl -n '__pushctl_at \'runs\'' -s h -l help -d 'Show this help.'
complete -c pushctl -n '__pushctl_at \'runs list\'' -s o -l output -x -d 'table, json, jsonl or csv.'
complete -c pushctl -n '__pushctl_at \'runs list\'' -s q -l quiet -d 'Only results and failures; twice: nothing but the exit code.'
complete -c pushctl -n '__pushctl_at \'runs list\'' -s v -l verbose -d 'One line a push; twice: the wire, secrets masked.'
complete -c pushctl -n '__pushctl_at \'runs list\'' -l color -x -a 'auto always never' -d 'When to use colour.'
complete -c pushctl -n '__pushctl_at \'runs list\'' -l progress -x -a 'auto plain never' -d 'How to show progress on stderr.'
complete -c pushctl -n '__pushctl_at \'runs list\'' -l no-input -d 'Never ask; fail instead.'
complete -c pushctl -n '__pushctl_at \'runs list\'' -l config -r -F -d 'The pushctl.yaml to use instead of the nearest one.'
complete -c pushctl -n '__pushctl_at \'runs list\'' -l debug -d 'Show the traceback of an internal error.'
complete -c pushctl -n '__pushctl_at \'runs list\'' -s h -l help -d 'Show this help.'
complete -c pushctl -n '__pushctl_at \'runs show\'' -a '(__pushctl_from runs)'
complete -c pushctl -n '__pushctl_at \'runs show\'' -s o -l output -x -d 'table, json, jsonl or csv.'
complete -c pushctl -n '__pushctl_at \'runs show\'' -s q -l quiet -d 'Only results and failures; twice: nothing but the exit code.'
complete -c pushctl -n '__pushctl_at \'runs show\'' -s v -l verbose -d 'One line a push; twice: the wire, secrets masked.'
complete -c pushctl -n '__pushctl_at \'runs show\'' -l color -x -a 'auto always never' -d 'When to use colour.'
complete -c pushctl -n '__pushctl_at \'runs show\'' -l progress -x -a 'auto plain never' -d 'How to show progress on stderr.'
complete -c pushctl -n '__pushctl_at \'runs show\'' -l no-input -d 'Never ask; fail instead.'
complete -c pushctl -n '__pushctl_at \'runs show\'' -l config -r -F -d 'The pushctl.yaml to use instead of the nearest one.'
complete -c pushctl -n '__pushctl_at \'runs show\'' -l debug -d 'Show the traceback of an internal error.'
complete -c pushctl -n '__pushctl_at \'runs show\'' -s h -l help -d 'Show this help.'
complete -c pushctl -n '__pushctl_at \'runs resume\'' -a '(__pushctl_from runs)'
complete -c pushctl -n '__pushctl_at \'runs resume\'' -l retry-failed -d 'Also what was rejected but may succeed now.'
complete -c pushctl -n '__pushctl_at \'runs resume\'' -l on-unknown -x -d 'keep, or resend and risk duplicates.'
complete -c pushctl -n '__pushctl_at \'runs resume\'' -s o -l output -x -d 'table, json, jsonl or csv.'
complete -c pushctl -n '__pushctl_at \'runs resume\'' -l fail-on -x -d 'bounced, faulty or never.'
complete -c pushctl -n '__pushctl_at \'runs resume\'' -s q -l quiet -d 'Only results and failures; twice: nothing but the exit code.'
complete -c pushctl -n '__pushctl_at \'runs resume\'' -s v -l verbose -d 'One line a push; twice: the wire, secrets masked.'
complete -c pushctl -n '__pushctl_at \'runs resume\'' -l color -x -a 'auto always never' -d 'When to use colour.'
complete -c pushctl -n '__pushctl_at \'runs resume\'' -l progress -x -a 'auto plain never' -d 'How to show progress on stderr.'
complete -c pushctl -n '__pushctl_at \'runs resume\'' -l no-input -d 'Never ask; fail instead.'
complete -c pushctl -n '__pushctl_at \'runs resume\'' -l config -r -F -d 'The pushctl.yaml to use instead of the nearest one.'
complete -c pushctl -n '__pushctl_at \'runs resume\'' -l debug -d 'Show the traceback of an internal error.'
complete -c pushctl -n '__pushctl_at \'runs resume\'' -s h -l help -d 'Show this help.'
complete -c pushctl -n '__pushctl_at \'runs check\'' -a '(__pushctl_from runs)'
complete -c pushctl -n '__pushctl_at \'runs check\'' -s q -l quiet -d 'Only results and failures; twice: nothing but the exit code.'
complete -c pushctl -n '__pushctl_at \'runs check\'' -s v -l verbose -d 'One line a push; twice: the wire, secrets masked.'
complete -c pushctl -n '__pushctl_at \'runs check\'' -l color -x -a 'auto always never' -d 'When to use colour.'
complete -c pushctl -n '__pushctl_at \'runs check\'' -l progress -x -a 'auto plain never' -d 'How to show progress on stderr.'
complete -c pushctl -n '__pushctl_at \'runs check\'' -l no-input -d 'Never ask; fail instead.'
complete -c pushctl -n '__pushctl_at \'runs check\'' -l config -r -F -d 'The pushctl.yaml to use instead of the nearest one.'
complete -c pushctl -n '__pushctl_at \'runs check\'' -l debug -d 'Show the traceback of an internal error.'
complete -c pushctl -n '__pushctl_at \'runs check\'' -s h -l help -d 'Show this help.'
complete -c pushctl -n '__pushctl_at \'runs prune\'' -l older-than -x -d 'Such as 90d.'
complete -c pushctl -n '__pushctl_at \'runs prune\'' -s q -l quiet -d 'Only results and failures; twice: nothing but the exit code.'
complete -c pushctl -n '__pushctl_at \'runs prune\'' -s v -l verbose -d 'One line a push; twice: the wire, secrets masked.'
complete -c pushctl -n '__pushctl_at \'runs prune\'' -l color -x -a 'auto always never' -d 'When to use colour.'
complete -c pushctl -n '__pushctl_at \'runs prune\'' -l progress -x -a 'auto plain never' -d 'How to show progress on stderr.'
complete -c pushctl -n '__pushctl_at \'runs prune\'' -l no-input -d 'Never ask; fail instead.'
complete -c pushctl -n '__pushctl_at \'runs prune\'' -l config -r -F -d 'The pushctl.yaml to use instead of the nearest one.'
complete -c pushctl -n '__pushctl_at \'runs prune\'' -l debug -d 'Show the traceback of an internal error.'
complete -c pushctl -n '__pushctl_at \'runs prune\'' -s h -l help -d 'Show this help.'
complete -c pushctl -n '__pushctl_at \'completion\'' -a 'bash zsh fish powershell'
complete -c pushctl -n '__pushctl_at \'completion\'' -s q -l quiet -d 'Only results and failures; twice: nothing but the exit code.'
complete -c pushctl -n '__pushctl_at \'completion\'' -s v -l verbose -d 'One line a push; twice: the wire, secrets masked.'
complete -c pushctl -n '__pushctl_at \'completion\'' -l color -x -a 'auto always never' -d 'When to use colour.'
complete -c pushctl -n '__pushctl_at \'completion\'' -l progress -x -a 'auto plain never' -d 'How to show progress on stderr.'
complete -c pushctl -n '__pushctl_at \'completion\'' -l no-input -d 'Never ask; fail instead.'
complete -c pushctl -n '__pushctl_at \'completion\'' -l config -r -F -d 'The pushctl.yaml to use instead of the nearest one.'
complete -c pushctl -n '__pushctl_at \'completion\'' -l debug -d 'Show the traceback of an internal error.'
complete -c pushctl -n '__pushctl_at \'completion\'' -s h -l help -d 'Show this help.'
complete -c pushctl -n '__pushctl_at \'help\'' -s q -l quiet -d 'Only results and failures; twice: nothing but the exit code.'
complete -c pushctl -n '__pushctl_at \'help\'' -s v -l verbose -d 'One line a push; twice: the wire, secrets masked.'
complete -c pushctl -n '__pushctl_at \'help\'' -l color -x -a 'auto always never' -d 'When to use colour.'
complete -c pushctl -n '__pushctl_at \'help\'' -l progress -x -a 'auto plain never' -d 'How to show progress on stderr.'
complete -c pushctl -n '__pushctl_at \'help\'' -l no-input -d 'Never ask; fail instead.'
complete -c pushctl -n '__pushctl_at \'help\'' -l config -r -F -d 'The pushctl.yaml to use instead of the nearest one.'
complete -c pushctl -n '__pushctl_at \'help\'' -l debug -d 'Show the traceback of an internal error.'
complete -c pushctl -n '__pushctl_at \'help\'' -s h -l help -d 'Show this help.'
complete -c pushctl -n '__pushctl_at \'simulate\'' -l port -x -d 'The port; 0 lets the system choose.'
complete -c pushctl -n '__pushctl_at \'simulate\'' -l host -x -d 'A loopback address.'
complete -c pushctl -n '__pushctl_at \'simulate\'' -l folder -x -a '(__fish_complete_directories)' -d 'Where the credentials and a pushctl.yaml are written, anew each time.'
complete -c pushctl -n '__pushctl_at \'simulate\'' -l environment -x -a 'production sandbox' -d 'Which APNs it plays.'
complete -c pushctl -n '__pushctl_at \'simulate\'' -l topic -x -d 'Accept only this APNs topic (push-type suffixes are added); repeatable.'
complete -c pushctl -n '__pushctl_at \'simulate\'' -l key-file -r -F -d 'Accept this push key (.p8) as well; needs --team-id.'
complete -c pushctl -n '__pushctl_at \'simulate\'' -l key-id -x -d 'Its key id, where the file\'s name does not tell.'
complete -c pushctl -n '__pushctl_at \'simulate\'' -l team-id -x -d 'The team of --key-file.'
complete -c pushctl -n '__pushctl_at \'simulate\'' -l service-account -r -F -d 'Accept this service account as well.'
complete -c pushctl -n '__pushctl_at \'simulate\'' -l answer -x -d 'Answer a token with a reason, a status or a fault; repeatable.'
complete -c pushctl -n '__pushctl_at \'simulate\'' -l delay -x -d 'Before each answer: 50ms, 1.5s.'
complete -c pushctl -n '__pushctl_at \'simulate\'' -l max-streams -x -d 'Streams at once on a connection, after its first good request.'
complete -c pushctl -n '__pushctl_at \'simulate\'' -s o -l output -x -d 'table (nothing on stdout), or jsonl: a record for each push.'
complete -c pushctl -n '__pushctl_at \'simulate\'' -s q -l quiet -d 'Only results and failures; twice: nothing but the exit code.'
complete -c pushctl -n '__pushctl_at \'simulate\'' -s v -l verbose -d 'One line a push; twice: the wire, secrets masked.'
complete -c pushctl -n '__pushctl_at \'simulate\'' -l color -x -a 'auto always never' -d 'When to use colour.'
complete -c pushctl -n '__pushctl_at \'simulate\'' -l progress -x -a 'auto plain never' -d 'How to show progress on stderr.'
complete -c pushctl -n '__pushctl_at \'simulate\'' -l no-input -d 'Never ask; fail instead.'
complete -c pushctl -n '__pushctl_at \'simulate\'' -l config -r -F -d 'The pushctl.yaml to use instead of the nearest one.'
complete -c pushctl -n '__pushctl_at \'simulate\'' -l debug -d 'Show the traceback of an internal error.'
complete -c pushctl -n '__pushctl_at \'simulate\'' -s h -l help -d 'Show this help.'
